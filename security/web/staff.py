"""Who works here: looked at, invited, given another role or other stores, handed the business, sent away."""

from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.errors import NotFound
from security.access import words
from security.access.roles import MERCHANT_ROLES, NAMES, OWNER, may_grant
from security.audit import operations as audit
from security.audit import queries as audited
from security.authentication import letters
from security.authentication.step_up import Binding
from security.merchants import invitations
from security.merchants import staff as people
from security.merchants.models import Invitation, Staff, Store
from security.web import forms, lists, outbox
from security.web.desk import Desk, desk_page
from security.web.parts import Tab
from security.web.step_up import step_up

SHOWN_MAX = 500
HISTORY_MAX = 10
TABS: dict[str, Any] = {"here": gettext_lazy("Working here"), "left": gettext_lazy("Left")}


class PlaceForm(forms.DeskForm):
    """A role and the stores where it is held, as far as who fills it in may give them."""

    role = django_forms.ChoiceField(
        label=gettext_lazy("Role"),
        widget=django_forms.RadioSelect,
        error_messages={"invalid_choice": gettext_lazy("Choose a role from the list.")},
    )
    stores = django_forms.MultipleChoiceField(
        label=gettext_lazy("Stores"),
        required=False,
        widget=django_forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Where somebody works: none ticked is everywhere. "
            "It limits where those whom they invite work, not what they see."
        ),
        error_messages={"invalid_choice": gettext_lazy("Choose stores from the list.")},
    )

    def __init__(self, *args: Any, desk: Desk, roles: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [(role, NAMES[role]) for role in roles]  # type: ignore[attr-defined]
        self.fields["stores"].choices = store_choices(desk)  # type: ignore[attr-defined]
        self.roles = roles

    @property
    def role_lines(self) -> list[tuple[Any, Any]]:
        """Each role's button, and what the role is for."""
        return list(zip(self["role"], (words.ROLES[role] for role in self.roles), strict=True))

    @property
    def store_ids(self) -> list[UUID]:
        return [ids.parse("sto", shown) for shown in self.cleaned_data["stores"]]


class InvitationForm(PlaceForm):
    field_order = ("email", "role", "stores")
    email = django_forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        error_messages={"invalid": gettext_lazy("This is no e-mail address.")},
        widget=django_forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def store_choices(desk: Desk) -> list[tuple[str, str]]:
    """The merchant's stores that are open, by name."""
    stores = Store.objects.filter(merchant=desk.merchant, closed_at__isnull=True).order_by("name", "pk")[:SHOWN_MAX]
    return [(ids.show("sto", store.pk), store.name) for store in stores]


def grantable(desk: Desk) -> list[str]:
    """The roles that who stands at the desk may give, in the order of the table."""
    return [role for role in MERCHANT_ROLES if may_grant(desk.role, role)]


@require_safe
@desk_page("staff.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who works here and who is invited. Seven statements."""
    tab = lists.chosen(request, "tab", TABS, "here")
    found = (
        Staff.objects.filter(merchant=desk.merchant, left_at__isnull=tab == "here")
        .select_related("user")
        .prefetch_related("stores")
        .order_by("created_at", "pk")[:SHOWN_MAX]
    )
    waiting = invitations.waiting(desk.merchant) if tab == "here" else []
    now = clock.wall()
    return desk.render(
        request,
        "staff/list.html",
        {
            "people": [
                (ids.show("stf", person.pk), person, NAMES[person.role], person.pk == desk.staff.pk)
                for person in sorted(found, key=lambda person: MERCHANT_ROLES.index(person.role))
            ],
            "invitations": [
                {
                    "id": ids.show("inv", each.pk),
                    "row": each,
                    "role_name": NAMES[each.role],
                    "is_over": each.expires_at <= now,
                    "may_change": may_grant(desk.role, each.role),
                }
                for each in waiting
            ],
            "tabs": [
                Tab(title, lists.query(request, tab=None if name == "here" else name), None, name == tab)
                for name, title in TABS.items()
            ],
            "tab": tab,
            "form": forms.DeskForm(),
        },
    )


@desk_page("staff.invite")
def invite(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Invite somebody by e-mail. An owner is made of somebody who works here, never of an address."""
    roles = [role for role in grantable(desk) if role != OWNER]
    form = InvitationForm(request.POST or None, desk=desk, roles=roles)
    if request.method == "POST" and form.is_valid():

        def write() -> str:
            given = form.cleaned_data
            invitation, secret = invitations.invite(
                email=given["email"], role=given["role"], store_ids=form.store_ids, actor=desk.staff, now=clock.wall()
            )
            _write(invitation, secret)
            return _noted(desk, "staff.invite", ids.show("inv", invitation.pk), role=given["role"])

        if done := forms.send(request, desk, form, write, words=_("The invitation was sent.")):
            return done
    form.focus_first_error()
    return desk.render(request, "staff/invite.html", {"form": form})


@require_POST
@desk_page("staff.invite")
def invitation_again(request: HttpRequest, desk: Desk, invitation: str) -> HttpResponse:
    """Send an invitation once more: with a new link, the old one stops."""
    identifier = _parsed("inv", invitation)

    def again() -> str:
        _write(*invitations.send_again(invitation_id=identifier, actor=desk.staff, now=clock.wall()))
        return _noted(desk, "staff.invite_again", invitation)

    return forms.press(request, desk, again, back=desk.url("staff"), words=_("The invitation was sent."))


@require_POST
@desk_page("staff.invite")
def invitation_revoke(request: HttpRequest, desk: Desk, invitation: str) -> HttpResponse:
    """Take an invitation back: its link stops. The person can be invited again."""
    identifier = _parsed("inv", invitation)

    def revoke() -> str:
        invitations.revoke(invitation_id=identifier, actor=desk.staff, now=clock.wall())
        return _noted(desk, "staff.uninvite", invitation)

    return forms.press(request, desk, revoke, back=desk.url("staff"), words=_("The invitation was revoked."))


@require_safe
@desk_page("staff.view")
def detail(request: HttpRequest, desk: Desk, staff: str) -> HttpResponse:
    """One person, and what the desk may do about them. Eight statements."""
    person = _find(desk, staff)
    is_self = person.pk == desk.staff.pk
    may_change = person.left_at is None and not is_self and may_grant(desk.role, person.role)
    form = PlaceForm(
        desk=desk,
        roles=grantable(desk),
        initial={"role": person.role, "stores": [ids.show("sto", store.pk) for store in person.stores.all()]},
        seen=person.version,
    )
    return desk.render(
        request,
        "staff/detail.html",
        {
            "person": person,
            "shown_id": staff,
            "role_name": NAMES[person.role],
            "role_words": words.ROLES[person.role],
            "is_self": is_self,
            "may_change": may_change,
            "may_hand_over": person.left_at is None and not is_self and desk.may("staff.manage"),
            "form": form,
            "history": list(
                audited.records(merchant_id=desk.merchant.pk, book_id=None, search=audited.Search(object_id=staff))[
                    :HISTORY_MAX
                ]
            ),
        },
    )


def _change_binding(request: HttpRequest, desk: Desk, staff: str) -> Binding | None:
    """A proof is for this person, this role and these stores."""
    form = _change_form(request, desk)
    if not form.is_valid():
        return None
    role, stores = form.cleaned_data["role"], sorted(form.cleaned_data["stores"])
    name = _name(_find(desk, staff))
    return Binding(
        object_id=staff,
        payee=" ".join([role, *stores]),
        what=_("Make {name} {role}").format(name=name, role=NAMES[role]),
    )


@desk_page("staff.invite")
@step_up("staff.change", binds=_change_binding)
def change(request: HttpRequest, desk: Desk, staff: str) -> HttpResponse:
    """Confirm another role or other stores: what was chosen stands in the address."""
    person = _find(desk, staff)
    form = _change_form(request, desk)
    back = desk.url("staff_member", staff=staff)
    if not form.is_valid():
        messages.error(request, _("Choose a role from the list."))
        return HttpResponseRedirect(back, status=303)
    role = form.cleaned_data["role"]
    if request.method == "POST":

        def place() -> str:
            people.change(
                staff_id=person.pk,
                role=role,
                store_ids=form.store_ids,
                actor=desk.staff,
                seen=request.GET.get(forms.SEEN) or None,
            )
            return _noted(
                desk,
                "staff.change",
                staff,
                to="staff_member",
                before=person.role,
                after=role,
                stores=form.cleaned_data["stores"],
            )

        return forms.press(request, desk, place, back=back, words=_("The role was changed."))
    names = dict(store_choices(desk))
    return desk.render(
        request,
        "staff/change.html",
        {
            "form": forms.DeskForm(),
            "person": person,
            "shown_id": staff,
            "before": NAMES[person.role],
            "after": NAMES[role],
            "after_words": words.ROLES[role],
            "stores": [names[shown] for shown in form.cleaned_data["stores"]],
        },
    )


def _hand_over_binding(request: HttpRequest, desk: Desk, staff: str) -> Binding:
    return Binding(
        object_id=staff,
        payee="owner",
        what=_("Hand the business over to {name}").format(name=_name(_find(desk, staff))),
    )


@desk_page("staff.manage")
@step_up("staff.hand_over", binds=_hand_over_binding)
def hand_over(request: HttpRequest, desk: Desk, staff: str) -> HttpResponse:
    """Confirm that somebody else owns the business from now on, and who asks is a manager."""
    person = _find(desk, staff)
    if request.method == "POST":

        def give() -> str:
            people.hand_over(staff_id=person.pk, actor=desk.staff)
            return _noted(desk, "staff.hand_over", staff)

        back = desk.url("staff_member", staff=staff)
        return forms.press(request, desk, give, back=back, words=_("The business was handed over."))
    return desk.render(request, "staff/hand_over.html", {"form": forms.DeskForm(), "person": person, "shown_id": staff})


def _leave_binding(request: HttpRequest, desk: Desk, staff: str) -> Binding:
    return Binding(object_id=staff, what=_("End the work of {name} here").format(name=_name(_find(desk, staff))))


@desk_page("staff.invite")
@step_up("staff.leave", binds=_leave_binding)
def remove(request: HttpRequest, desk: Desk, staff: str) -> HttpResponse:
    """Confirm that somebody does not work here any more: every page refuses them from that moment."""
    person = _find(desk, staff)
    if person.pk == desk.staff.pk:
        return HttpResponseRedirect(desk.url("staff_leave"))
    if request.method == "POST":

        def end() -> str:
            people.leave(staff_id=person.pk, actor=desk.staff, now=clock.wall())
            return _noted(desk, "staff.leave", staff)

        back = desk.url("staff_member", staff=staff)
        return forms.press(request, desk, end, back=back, words=_("The person does not work here any more."))
    return desk.render(request, "staff/remove.html", {"form": forms.DeskForm(), "person": person, "shown_id": staff})


@desk_page()
def leave(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Confirm that one stops working here oneself. Open to everybody; the last owner cannot."""
    if request.method == "POST":

        def end() -> str:
            people.leave(staff_id=desk.staff.pk, actor=desk.staff, now=clock.wall())
            _noted(desk, "staff.leave", ids.show("stf", desk.staff.pk))
            return reverse("account_login") if len(desk.places) == 1 else reverse("dashboard")

        back = desk.url("roles")
        return forms.press(request, desk, end, back=back, words=_("You do not work there any more."))
    return desk.render(request, "staff/leave.html", {"form": forms.DeskForm()})


def invitation_address(secret: str) -> str:
    """The link of an invitation."""
    return settings.PUBLIC_URL + reverse("invitation", kwargs={"secret": secret})


def _change_form(request: HttpRequest, desk: Desk) -> PlaceForm:
    return PlaceForm(request.GET, desk=desk, roles=grantable(desk))


def _write(invitation: Invitation, secret: str) -> None:
    """Put the letter into the outbox, with the invitation, and have it sent as soon as both are committed."""
    letter = letters.write_invitation(invitation, address=invitation_address(secret), now=clock.wall())
    transaction.on_commit(lambda: outbox.hint(letter.pk))


def _name(person: Staff) -> str:
    return person.user.name or person.user.email


def _find(desk: Desk, shown: str) -> Staff:
    try:
        return people.find(_parsed("stf", shown), merchant=desk.merchant)
    except NotFound as missing:
        raise Http404 from missing


def _parsed(prefix: str, shown: str) -> UUID:
    try:
        return ids.parse(prefix, shown)
    except ids.MalformedId as malformed:
        raise Http404 from malformed


def _noted(desk: Desk, action: str, object_id: str, *, to: str = "", **detail: Any) -> str:
    """Record a deed, and name the page to go to: the list, or the person's."""
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=object_id,
        detail=detail,
        book_id=None,
        merchant_id=desk.merchant.pk,
    )
    return desk.url(to, staff=object_id) if to else desk.url("staff")
