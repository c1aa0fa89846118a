"""The page behind an invitation's link: for whoever reads the address, signed in or not, with a login or without."""

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.errors import PlatformError
from security.access import words
from security.access.roles import NAMES
from security.audit import operations as audit
from security.authentication import joining
from security.identity.models import User
from security.merchants import invitations
from security.merchants.models import LIVE, Invitation, Staff
from security.web import forms
from security.web.desk import address

forms.WORDS[joining.HasLogin] = gettext_lazy("There is a login for this address. Sign in to accept.")


class JoinForm(forms.DeskForm):
    name = django_forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=120,
        widget=django_forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = django_forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1024,
        strip=False,
        help_text=gettext_lazy("At least ten characters; a sentence is good."),
        widget=django_forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@sensitive_post_parameters()
@never_cache
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """What is offered, and the way to take it. A link that does not work any more says so, and no more."""
    now = clock.wall()
    try:
        invitation = invitations.find(secret, now=now)
    except invitations.Unusable:
        return _page(request, "invitations/over.html", {}, status=404)
    user = request.user if isinstance(request.user, User) else None
    form = JoinForm(request.POST or None)
    refusal = ""
    if request.method == "POST":
        try:
            if user is not None:
                return _take(request, invitation, secret, user)
            if form.is_valid():
                return _join(request, invitation, secret, form)
        except invitations.Unusable:
            return _page(request, "invitations/over.html", {}, status=404)
        except ValidationError as weak:
            form.add_error("password", weak)
        except PlatformError as refused:
            refusal = str(forms.words_of(refused))
    has_login = User.objects.filter(email=invitation.email).exists()
    form.focus_first_error()
    return _page(
        request,
        "invitations/accept.html",
        {
            "invitation": invitation,
            "merchant": invitation.merchant,
            "role_name": NAMES[invitation.role],
            "role_words": words.ROLES[invitation.role],
            "form": form,
            "refusal": refusal,
            "has_login": has_login,
            "is_for_me": user is not None and user.email == invitation.email,
            "someone": user,
            "sign_in_url": redirect_to_login(request.path).url,
            "next": request.path,
        },
    )


def _take(request: HttpRequest, invitation: Invitation, secret: str, user: User) -> HttpResponse:
    with transaction.atomic():
        person = invitations.accept(secret=secret, user=user, now=clock.wall())
        _record(request, invitation, person)
    return HttpResponseRedirect(address("home", merchant=invitation.merchant.slug, mode=LIVE), status=303)


def _join(request: HttpRequest, invitation: Invitation, secret: str, form: JoinForm) -> HttpResponse:
    with transaction.atomic():
        person = joining.join(
            secret=secret,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            now=clock.wall(),
        )
        _record(request, invitation, person)
    messages.success(request, _("Your login was made. Sign in with it."))
    return redirect_to_login(address("home", merchant=invitation.merchant.slug, mode=LIVE))


def _record(request: HttpRequest, invitation: Invitation, person: Staff) -> None:
    audit.record(
        actor=audit.Actor.staff(person.pk, ip=request.META.get("REMOTE_ADDR", "")),
        action="staff.join",
        object_id=ids.show("stf", person.pk),
        detail={"invitation": ids.show("inv", invitation.pk), "role": person.role},
        book_id=None,
        merchant_id=invitation.merchant_id,
    )


def _page(request: HttpRequest, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    # The address is the secret, so no other site may learn it; without any referrer a browser would send our own
    # forms without their origin, which the CSRF check refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
