"""The checkout page, /pay/<code>: what is bought, how to pay, and how it went.

Every step is a form that is posted and answered by a redirect to the page, which then
shows the stage that the session is at; it works without a program in the browser. With
one, the page asks for its stage from time to time and moves by itself.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import clock, idempotency, tenancy, tries
from merchant_platform.kernel.errors import Conflict, NotFound
from payments.checkout import joining, operations, paying, ports, pricing, queries, splitting, sweep
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.customers import operations as customers
from payments.intents import provider_road
from payments.methods import authentication
from payments.origin import Origin
from payments.stored_value import operations as stored_value
from payments.tenders import operations as tenders
from payments.web import declines, forms, presence
from security.identity import passwords
from security.merchants import codes
from security.merchants.models import Book
from security.vault import operations as vault

# How often the page asks how it stands, by stage: a payment under way matters more than an open page.
POLL_SECONDS = {queries.PROCESSING: 2, queries.CHALLENGE: 3}
POLL_SECONDS_ELSE = 5
# The card schemes, as pictures beside the word.
BRANDS = tuple(f"vendor/tabler/payments/{name}.svg" for name in ("visa", "mastercard", "unionpay", "americanexpress"))
# What signing in here shows of the payer: a password.
SHOWN = [authentication.KNOWLEDGE]
# HTTP 286 would end the asking; 204 says that nothing has changed.
NOTHING_NEW = 204


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: the session's book, and the two times."""

    book: Book
    session_id: Any
    moment: Moment

    @property
    def origin(self) -> Origin:
        return Origin(livemode=self.book.livemode)


View = Callable[..., HttpResponse]


def _at_a_session(view: View) -> View:
    """Find the book and the session behind the code in the address. A code that opens nothing is 404."""

    @wraps(view)
    def find(request: HttpRequest, code: str, **rest: str) -> HttpResponse:
        found = codes.find(kind=operations.CODE_KIND, code=code)
        if found is None:
            raise Http404
        moment = Moment(now=found.book.now, recorded=clock.wall())
        try:
            with idempotency.lock_timeouts():
                response = view(request, Place(found.book, found.object_id, moment), **rest)
        except idempotency.LockTimeout:
            if request.method != "POST":
                raise
            # How it stands, the page shows from the rows.
            response = HttpResponseRedirect(f"/pay/{code}?was_busy=1", status=303)
        response["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(find)


@require_safe
@_at_a_session
def page(request: HttpRequest, place: Place) -> HttpResponse:
    """The page at the stage that the session is at. `?method=` chooses how to pay.

    Where nothing is due and nothing is new, which is nearly always, this reads and writes nothing.
    """
    chosen = request.GET.get("method", "")
    with tenancy.within(place.book.pk):
        shown = _seen(request, place, is_priced=True)
        news = _news(shown, place, chosen=chosen)
        is_at_rest = queries.is_at_rest(shown, now=place.moment.now) and not shown.is_to_be_priced and not news
        context = _context(request, place, shown, chosen=chosen) if is_at_rest else None
    if context is None:
        _ask(place)
        with tenancy.within(place.book.pk):
            session = operations.look_after(session_id=place.session_id, moment=place.moment, origin=place.origin)
            language, method = _step(session, chosen=chosen)
            operations.record_seen(session, language=language, method=method, moment=place.moment)
            if session.is_open and shown.stage == queries.CHOOSE:
                pricing.refresh(_buyer(request, place, session), mode=place.book.mode)
        context = _written(request, place, session, chosen=chosen)
    return render(request, "pay/page.html", context)


@require_safe
@_at_a_session
def stage(request: HttpRequest, place: Place) -> HttpResponse:
    """The part of the page that moves, where it moved away from `?stage=`; otherwise nothing."""
    with tenancy.within(place.book.pk):
        shown = _seen(request, place)
        is_at_rest = queries.is_at_rest(shown, now=place.moment.now)
        is_moved = shown.stage != request.GET.get("stage")
        context = _context(request, place, shown, chosen="") if is_at_rest and is_moved else None
    if not is_at_rest:
        _ask(place)
        with tenancy.within(place.book.pk):
            session = operations.look_after(session_id=place.session_id, moment=place.moment, origin=place.origin)
        context = _written(request, place, session, chosen="")
        is_moved = context["shown"].stage != request.GET.get("stage")
    if not is_moved:
        return HttpResponse(status=NOTHING_NEW)
    return render(request, "pay/_stage.html", {**(context or {}), "is_fragment": True})


@require_POST
@sensitive_post_parameters()
@_at_a_session
def sign_in(request: HttpRequest, place: Place) -> HttpResponse:
    """A consumer proves who they are. Nothing is remembered beyond this session's address."""
    form = forms.SignIn(request.POST)
    with tenancy.within(place.book.pk):
        session = operations.look_after(session_id=place.session_id, moment=place.moment, origin=place.origin)
        _speak(request, session)
        if session.is_open and form.is_valid() and not operations.count_sign_in(session_id=session.pk):
            form.add_error(
                None, _("Too many tries on this page. Pay in another way, or ask the merchant for a new one.")
            )
    if not session.is_open:
        return _to(session)
    if form.is_valid():
        try:
            user = passwords.check(
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                origin=request.META.get("REMOTE_ADDR", ""),
            )
        except passwords.NotRecognised:
            form.add_error(None, _("The e-mail address or the password is wrong."))
        except tries.TooManyTries:
            form.add_error(None, _("Too many tries. Wait a quarter of an hour, then try again."))
        except tries.CannotCount:
            form.add_error(None, _("Signing in is not possible just now. Try again in a moment."))
        else:
            with tenancy.within(place.book.pk):
                operations.forget_sign_ins(session_id=session.pk)
                if paying.WALLET in session.payment_method_types:
                    operations.record_method(session_id=session.pk, method=paying.WALLET, moment=place.moment)
                operations.record_authenticated(session_id=session.pk, moment=place.moment)
            response = _to(session)
            presence.remember(response, request, session, user, factors=SHOWN)
            return response
    return _again(request, place, chosen=paying.WALLET, sign_in=form)


@require_POST
@_at_a_session
def sign_out(request: HttpRequest, place: Place) -> HttpResponse:
    """It was not them, or they changed their mind."""
    session = _plain(place)
    response = _to(session)
    presence.forget(response, session)
    return response


@require_POST
@_at_a_session
def pay_by_wallet(request: HttpRequest, place: Place) -> HttpResponse:
    """The consumer says yes to the amount on the page."""
    session = _plain(place)
    there = presence.of(request, session)
    if there is None:
        return _to(session, method=paying.WALLET)
    try:
        with tenancy.within(place.book.pk):
            payer = paying.payer(
                user_id=there.user_id, email=there.email, mode=place.book.mode, currency=session.order.currency
            )
            if payer is None:
                return _to(session, method=paying.WALLET)
            _note_joining(request, session)
            session = paying.pay_by_wallet(
                session_id=session.pk,
                consumer_id=payer.consumer_id,
                factors=there.factors,
                shown_minor=_amount(request),
                mode=place.book.mode,
                moment=place.moment,
                origin=place.origin,
            )
    except (paying.PriceChanged, paying.NotSold, paying.NoWallet):
        return _to(session)  # the page says which, from the rows
    response = _to(session)
    if session.is_complete:
        presence.forget(response, session)
    return response


@require_POST
@sensitive_post_parameters()
@_at_a_session
def pay_by_card(request: HttpRequest, place: Place) -> HttpResponse:
    """A card is typed in. Its number goes to the vault and its code to the bank; neither comes back to the page."""
    form = forms.Card(request.POST)
    session = _plain(place)
    _speak(request, session)
    if form.is_valid():
        try:
            _note_joining(request, session, book=place.book)
            session = paying.pay_by_card(
                session_id=session.pk,
                consumer_id=_consumer(request, session),
                card=form.card(),
                cvc=form.cleaned_data["cvc"],
                shown_minor=_amount(request),
                payee=place.book.merchant.name,
                return_url=f"{settings.PUBLIC_URL}/pay/{session.code}/return",
                book_id=place.book.pk,
                mode=place.book.mode,
                moment=place.moment,
                origin=place.origin,
            )
        except customers.CardRefused as refused:
            field = {"number": "number", "cvc": "cvc"}.get(refused.param or "", "expiry")
            form.add_error(field, str(declines.words(refused.code).what))
        except (provider_road.ProviderNotConfigured, vault.VaultOff):
            form.add_error(None, str(declines.words("provider_not_configured").what))
        except (paying.PriceChanged, paying.NotSold):
            return _to(session)  # the page says which, from the rows
        else:
            with tenancy.within(place.book.pk):
                operations.record_method(session_id=session.pk, method=paying.CARD, moment=place.moment)
            return _to(session)
    return _again(request, place, chosen=paying.CARD, card=form.emptied())


@require_POST
@_at_a_session
def pay_by_tenders(request: HttpRequest, place: Place) -> HttpResponse:
    """The tenders pay all of it: the payer says yes to that."""
    session = _plain(place)
    try:
        with tenancy.within(place.book.pk):
            _note_joining(request, session)
            session = paying.pay_by_tenders(
                session_id=session.pk,
                consumer_id=_consumer(request, session),
                mode=place.book.mode,
                moment=place.moment,
                origin=place.origin,
            )
    except (paying.PriceChanged, paying.NotSold):
        return _to(session)  # the page says which, from the rows
    response = _to(session)
    if session.is_complete:
        presence.forget(response, session)
    return response


@require_POST
@_at_a_session
def use_tender(request: HttpRequest, place: Place) -> HttpResponse:
    """Pay a part with something that is offered, change how much, or do without it."""
    session = _plain(place)
    _speak(request, session)
    form = forms.TenderPart(request.POST, currency=session.order.currency)
    if not form.is_valid():
        return _again(request, place, chosen="", part=form)
    try:
        with tenancy.within(place.book.pk):
            if form.cleaned_data["drop"]:
                tender_id = form.cleaned_data["drop"]
                splitting.do_without(
                    session_id=session.pk, tender_id=tender_id, moment=place.moment, origin=place.origin
                )
            else:
                method, source_id = form.cleaned_data["source"]
                splitting.use(
                    session_id=session.pk,
                    method=method,
                    source_id=source_id,
                    amount_minor=form.cleaned_data["amount"],
                    payer=splitting.who(session, _consumer(request, session)),
                    mode=place.book.mode,
                    moment=place.moment,
                    origin=place.origin,
                )
    except tenders.TooMuch:
        form.add_error("amount", _("That is more than is there, more than is left to pay, or no whole step of it."))
        return _again(request, place, chosen="", part=form)
    except (splitting.BeingPaid, splitting.NotRecognised, NotFound, Conflict):
        return _to(session)  # the page shows how it stands
    return _to(session)


@require_POST
@sensitive_post_parameters()
@_at_a_session
def use_card(request: HttpRequest, place: Place) -> HttpResponse:
    """A stored-value card is named by its number and its PIN. Whatever is wrong, the page says the same."""
    session = _plain(place)
    _speak(request, session)
    form = forms.StoredValueCard(request.POST)
    if form.is_valid():
        try:
            stored_value.count_guess(request.META.get("REMOTE_ADDR", ""))
            with tenancy.within(place.book.pk):
                is_known = splitting.use_card(
                    session_id=session.pk,
                    number=form.cleaned_data["number"],
                    pin=form.cleaned_data["pin"],
                    payer=splitting.who(session, _consumer(request, session)),
                    mode=place.book.mode,
                    moment=place.moment,
                    origin=place.origin,
                )
            if is_known:
                return _to(session)
            form.add_error(None, _("No card that can be used here has this number and PIN."))
        except splitting.BeingPaid:
            return _to(session)
        except tenders.TooMuch:
            form.add_error(None, _("Nothing is left to pay with this card."))
        except splitting.TooManyCards:
            form.add_error(
                None, _("Too many tries on this page. Pay in another way, or ask the merchant for a new one.")
            )
        except tries.TooManyTries:
            form.add_error(None, _("Too many tries. Wait a quarter of an hour, then try again."))
        except tries.CannotCount:
            form.add_error(None, _("Cards cannot be looked up just now. Try again in a moment."))
    return _again(request, place, chosen="", stored=form.emptied())


@require_POST
@_at_a_session
def use_code(request: HttpRequest, place: Place) -> HttpResponse:
    """A code of an offer is typed, or taken back. Whether it helps, the page then says."""
    session = _plain(place)
    _speak(request, session)
    form = forms.DiscountCode(request.POST)
    around: dict[str, Any] = {"session_id": session.pk, "moment": place.moment, "origin": place.origin}
    if not form.is_valid():
        return _again(request, place, chosen="", code=form)
    try:
        if form.cleaned_data["forget"]:
            with tenancy.within(place.book.pk):
                splitting.forget_code(code=form.cleaned_data["forget"], **around)
            return _to(session)
        with splitting.guess(request.META.get("REMOTE_ADDR", "")) as guess, tenancy.within(place.book.pk):
            payer = splitting.who(session, _consumer(request, session))
            guess.is_wrong = not splitting.use_code(code=form.cleaned_data["code"], payer=payer, **around)
    except (splitting.BeingPaid, splitting.NotRecognised):
        pass  # nothing was looked up, and the page says how things are
    except splitting.TooManyCodes:
        form.add_error(
            "code", _("Too many wrong codes on this page. Pay without one, or ask the merchant for a new page.")
        )
    except tries.TooManyTries:
        form.add_error("code", _("Too many tries. Wait a quarter of an hour, then try again."))
    except tries.CannotCount:
        form.add_error("code", _("Codes cannot be looked up just now. Try again in a moment."))
    return _again(request, place, chosen="", code=form) if form.errors else _to(session)


@require_safe
@_at_a_session
def come_back(request: HttpRequest, place: Place) -> HttpResponse:
    """The payer comes back from the bank. What the address says counts for nothing: the provider is asked."""
    return _to(_ask(place, is_back=True))


def _ask(place: Place, *, is_back: bool = False) -> CheckoutSession:
    return paying.ask_provider(
        session_id=place.session_id,
        book_id=place.book.pk,
        mode=place.book.mode,
        moment=place.moment,
        origin=place.origin,
        is_back=is_back,
    )


def _seen(request: HttpRequest, place: Place, *, is_priced: bool = False) -> queries.Shown:
    """What the page says, in the session's language, in the open unit of work; priced again where that is asked for."""
    session = queries.find(place.session_id)
    _speak(request, session)
    payer = _buyer(request, place, session).payer if is_priced and ports.discounts() else None
    return queries.shown(session, now=place.moment.now, payer=payer)


def _buyer(request: HttpRequest, place: Place, session: CheckoutSession) -> pricing.Buyer:
    return pricing.Buyer(session, splitting.who(session, _consumer(request, session)), place.moment.now)


def _consumer(request: HttpRequest, session: CheckoutSession) -> UUID | None:
    """The consumer who signed in on this page."""
    there = presence.of(request, session)
    return paying.consumer(user_id=there.user_id, is_live=session.is_live) if there else None


def _note_joining(request: HttpRequest, session: CheckoutSession, *, book: Book | None = None) -> None:
    """Remember whether the payer ticked that they join; it is done once they paid."""
    if ports.invitations() is None:
        return
    given = request.POST.get("join", "")[: forms.WORDING_MAX]
    # What stood on the page is printable; what was made up is no yes.
    wording = given if given and given.isprintable() else None
    with tenancy.within(book.pk) if book else nullcontext():
        operations.record_joining(session_id=session.pk, wording=wording, consumer_id=_consumer(request, session))


def _step(session: CheckoutSession, *, chosen: str) -> tuple[str, str | None]:
    """The language that the page is read in, and how the payer chose to pay, if it is a way that the session offers."""
    return translation.get_language() or "en", chosen if chosen in session.payment_method_types else None


def _news(shown: queries.Shown, place: Place, *, chosen: str) -> bool:
    """Whether this look at the page is to be remembered."""
    language, method = _step(shown.session, chosen=chosen)
    return bool(operations.steps(shown.session, language=language, method=method, moment=place.moment))


def _written(request: HttpRequest, place: Place, session: CheckoutSession, *, chosen: str) -> dict[str, Any]:
    """The page after something was written: with the receipt of what was paid, and read anew."""
    if session.is_complete and not session.has_receipt:
        sweep.write_receipt(session_id=session.pk, book_id=place.book.pk, moment=place.moment)
    with tenancy.within(place.book.pk):
        return _context(request, place, _seen(request, place, is_priced=True), chosen=chosen)


def _context(
    request: HttpRequest,
    place: Place,
    shown: queries.Shown,
    *,
    chosen: str,
    sign_in: forms.SignIn | None = None,
    card: forms.Card | None = None,
    part: forms.TenderPart | None = None,
    stored: forms.StoredValueCard | None = None,
    code: forms.DiscountCode | None = None,
) -> dict[str, Any]:
    session = shown.session
    there = presence.of(request, session) if shown.stage == queries.CHOOSE else None
    payer = (
        paying.payer(user_id=there.user_id, email=there.email, mode=place.book.mode, currency=shown.order.currency)
        if there
        else None
    )
    methods = session.payment_method_types
    choices = (
        splitting.choices(
            session,
            shown.order,
            shown.lines,
            splitting.who(session, payer.consumer_id if payer else None),
            mode=place.book.mode,
            moment=place.moment,
        )
        if shown.stage != queries.EXPIRED
        else None
    )
    return {
        "choices": choices,
        "welcome": joining.welcome(session) if shown.stage == queries.PAID else None,
        "part": part,
        "was_busy": "was_busy" in request.GET,
        "stored": stored or forms.StoredValueCard(),
        "typed_code": code or forms.DiscountCode(),
        "priced": shown.quote.priced,
        "shown": shown,
        "session": session,
        "order": shown.order,
        "merchant": place.book.merchant,
        "is_live": place.book.livemode,
        "zone": place.book.merchant.zone,
        "methods": methods,
        "chosen": chosen if chosen in methods else session.method_chosen or methods[0],
        "payer": payer,
        "is_stranger": there is not None and payer is None,
        "sign_in": sign_in or forms.SignIn(),
        "card": card or forms.Card(),
        "decline": declines.words(shown.decline_code) if shown.decline_code else None,
        "brands": BRANDS,
        # A page that answers a form stands at the form's address, where a language cannot be chosen.
        "next": f"/pay/{session.code}",
        "poll_seconds": POLL_SECONDS.get(shown.stage, POLL_SECONDS_ELSE),
    }


def _again(request: HttpRequest, place: Place, *, chosen: str, **given: Any) -> HttpResponse:
    """The page once more, with what was wrong in a form: a browser goes to the first mistake by itself."""
    for form in given.values():
        for name in list(form.errors)[:1]:
            if name in form.fields:
                form.fields[name].widget.attrs["autofocus"] = True
    with tenancy.within(place.book.pk):
        context = _context(request, place, _seen(request, place, is_priced=True), chosen=chosen, **given)
    return render(request, "pay/page.html", context)


def _plain(place: Place) -> CheckoutSession:
    with tenancy.within(place.book.pk):
        return queries.find(place.session_id)


def _to(session: CheckoutSession, *, method: str = "") -> HttpResponse:
    return HttpResponseRedirect(f"/pay/{session.code}" + (f"?method={method}" if method else ""), status=303)


def _amount(request: HttpRequest) -> int:
    """The amount on the page that was posted; 0, which is no session's, where it is no number."""
    text = request.POST.get("amount", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _speak(request: HttpRequest, session: CheckoutSession) -> None:
    """The session's language, unless the person chose one here."""
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES or not session.locale:
        return
    for language, named in (("zh", "zh-hans"), ("en", "en")):
        if session.locale.partition("-")[0] == language:
            translation.activate(named)
            request.LANGUAGE_CODE = named
