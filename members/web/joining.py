"""Joining by a code: the codes and their poster for staff, and the page behind them for anybody."""

import io
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import segno
from django.conf import settings
from django.core import signing
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from members.directory import codes as joining
from members.directory import numbers, profile, queries
from members.directory.hand import Hand
from members.directory.models import QR, Member
from members.web.forms import JoinForm
from members.web.standing import hand
from merchant_platform.kernel import idempotency, ids, tenancy, tries
from merchant_platform.kernel.errors import NotFound, PlatformError, TooMany
from merchant_platform.kernel.wire import dump, load
from payments.customers import operations as customers
from payments.customers.models import Customer
from payments.origin import Origin
from payments.wallets.models import Consumer
from security.audit.operations import PLATFORM, Actor
from security.identity.models import User
from security.merchants import codes
from security.merchants.models import Book
from security.privacy.wording import PURPOSES
from security.web import forms
from security.web.desk import Desk, desk_page

# So many may join from one network address in an hour: a shop's guests share one.
JOINED_MAX, JOINED_SECONDS = 60, 3600
WELCOME_SECONDS = 30 * 60
_SALT = "members.web.joining"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("member.enrol")
def places(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The codes of the merchant and of its stores; a press makes those that are missing."""
    if request.method == "POST":

        def make() -> str:
            joining.make_all(desk.merchant, book_id=desk.book.pk, now=desk.now)
            hand(desk).sign("member.codes", "")
            return desk.url("member_codes")

        back = desk.url("member_codes")
        return forms.press(request, desk, make, back=back, words=_("The codes are ready to print."))
    found = joining.places(desk.merchant, book_id=desk.book.pk)
    context = {
        "form": forms.DeskForm(),
        "places": [(place, _address(place.code)) for place in found],
        "has_missing": any(not place.code for place in found),
    }
    return desk.render(request, "members/codes.html", context)


@require_safe
@desk_page("member.enrol")
def poster(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """A page to print and put up."""
    place = next(
        (each for each in joining.places(desk.merchant, book_id=desk.book.pk) if each.code and each.code == code), None
    )
    if place is None:
        raise Http404
    context = {
        "merchant": desk.merchant,
        "store": place.store,
        "address": _address(code),
        "picture": _picture(_address(code)),
        "is_live": desk.book.livemode,
        "back": desk.url("member_codes"),
    }
    return render(request, "members/poster.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Anybody who scanned a code joins here; what they say of themselves is theirs to leave out."""
    found = codes.find(kind=joining.KIND, code=code)
    if found is None:
        raise Http404
    book = found.book
    store = joining.store_of(found.object_id, book.merchant)
    form = JoinForm(request.POST or None)
    user = request.user if isinstance(request.user, User) else None
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            return _join(request, book, code, form, user, store_id=store.pk if store else None)
        except TooMany:
            form.add_error(None, _("Too many people joined from here just now. Try again later."))
            status = 429
        except PlatformError as refused:
            form.refuse(refused)
    form.focus_first_error()
    context = {
        "form": form,
        "merchant": book.merchant,
        "store": store,
        "is_live": book.livemode,
        "purposes": [(name, wording) for name, wording in PURPOSES.items()],
        "ticked": request.POST.getlist("consents"),
        "someone": user,
    }
    return _page(request, "members/join.html", context, status=status)


@never_cache
@require_safe
def welcome(request: HttpRequest, code: str) -> HttpResponse:
    """The number of who joined a moment ago: the address is signed, and ends by itself."""
    found = codes.find(kind=joining.KIND, code=code)
    if found is None:
        raise Http404
    try:
        said = signing.loads(request.GET.get("member", ""), salt=_SALT, max_age=WELCOME_SECONDS)
        with tenancy.within(found.book.pk):
            member = queries.alive(ids.parse("mem", said))
    except (signing.BadSignature, ids.MalformedId, NotFound):
        return HttpResponseRedirect(f"/join/{code}")
    context = {
        "merchant": found.book.merchant,
        "is_live": found.book.livemode,
        "number": numbers.spaced(member.number),
        "picture": _picture(member.number),
    }
    return _page(request, "members/welcome.html", context)


def _join(
    request: HttpRequest, book: Book, code: str, form: JoinForm, user: User | None, *, store_id: Any
) -> HttpResponse:
    """Join once a form: sent twice, it shows the same number."""
    _count(request.META.get("REMOTE_ADDR", ""))
    token = request.POST.get(forms.ONCE, "")
    by = Hand(
        source=QR,
        actor=Actor.user(user.pk) if user else PLATFORM,
        book_id=book.pk,
        merchant_id=book.merchant.pk,
        country=book.merchant.country,
        now=book.now,
        origin=Origin(livemode=book.livemode),
    )

    def answer() -> idempotency.Answer:
        member = _add(book, form, user, by, store_id)
        return idempotency.Answer(status=303, body=dump(ids.show("mem", member.pk)))

    keyed = None
    if _TOKEN.fullmatch(token):
        given = {name: request.POST.getlist(name) for name in request.POST if name != "csrfmiddlewaretoken"}
        digest = idempotency.fingerprint("POST", request.path, given)
        keyed = idempotency.Request(key=f"join:{token}", fingerprint=digest, request_id="")
    done = idempotency.run_once(book.pk, keyed, answer)
    signed = signing.dumps(load(done.body), salt=_SALT)
    return HttpResponseRedirect(f"/join/{code}/welcome?member={signed}", status=303)


def _add(book: Book, form: JoinForm, user: User | None, by: Hand, store_id: Any) -> Member:
    """The membership; of who is signed in, beside the wallet."""
    said, locale = form.profile(), _locale()
    customer_id = None
    consumer = Consumer.objects.filter(user=user, mode=book.mode).first() if user else None
    if consumer is not None:
        known = Customer.objects.filter(consumer=consumer).first()
        if known is None:
            # Linking is the consumer's own act, and this is it.
            fields = {
                "name": said.name or (user.name if user else None),
                "consumer": consumer,
                "preferred_locales": [locale],
            }
            try:
                known = customers.create(fields=fields, now=by.now, origin=by.origin)
            except IntegrityError as error:
                raise idempotency.LockTimeout("You are joining on another page. Try again.") from error
        customer_id = known.pk
        said = replace(said, name=None)
        if (member := queries.of_customer(customer_id)) is not None:
            return member
    consents = form.cleaned_data["consents"]
    return profile.add(
        said,
        hand=by,
        customer_id=customer_id,
        store_id=store_id,
        consents_to=consents,
        is_claim=True,
        locale=locale,
    )


def _locale() -> str:
    """The language of the page, as programs write it: `en`, `zh-Hans`."""
    return to_locale(get_language() or settings.LANGUAGE_CODE).replace("_", "-")


def _count(address: str) -> None:
    """Raises TooMany where too many joined from one address; without the cache nobody is turned away."""
    with suppress(tries.CannotCount):
        tries.count("joined", tries.network(address), limit=JOINED_MAX, seconds=JOINED_SECONDS)


def _address(code: str) -> str:
    return f"{settings.PUBLIC_URL}/join/{code}" if code else ""


def _picture(text: str) -> SafeString:
    """A QR code as SVG inside the page: black on white in every theme, or phones cannot read it."""
    drawn = io.BytesIO()
    segno.make_qr(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=4, light="#fff", dark="#000", svgclass="qr"
    )
    return mark_safe(drawn.getvalue().decode())  # noqa: S308  (drawn from a code or a number of ours)


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
