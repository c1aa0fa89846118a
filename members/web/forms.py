"""What staff type about a member, and what somebody types who joins."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.directory import contacts, merging, operations, profile
from members.directory.profile import Profile
from security.privacy.wording import PURPOSES
from security.web.forms import WORDS, DeskForm

WORDS[contacts.PhoneInvalid] = _("This is no telephone number.")
WORDS[contacts.EmailInvalid] = _("This is no e-mail address.")
WORDS[profile.MemberExists] = _("Somebody with this contact is a member already.")
WORDS[profile.ConsentMissing] = _("A birthday is kept only with the member's consent to offers made for them.")
WORDS[operations.NotAMember] = _("Who left, or was merged into somebody else, cannot be changed.")
WORDS[merging.SameMember] = _("Choose another member: these two are one already.")
WORDS[merging.NotMergeable] = _("Both have to be members, and neither merged before.")
WORDS[merging.NotUndoable] = _("This merge was undone before, or its winner was merged since: undo that first.")


class MemberForm(DeskForm):
    """A member's profile."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"), max_length=profile.NAME_LENGTH_MAX, required=False
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=contacts.PHONE_LENGTH_MAX,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=contacts.EMAIL_LENGTH_MAX,
        required=False,
        error_messages={"invalid": _("This is no e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    birthday = forms.DateField(
        label=_("Birthday"),
        required=False,
        help_text=_("Kept only with consent to offers made for the member."),
        error_messages={"invalid": _("Write a date such as 1990-05-04.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    household = forms.CharField(
        label=_("Household"),
        max_length=profile.HOUSEHOLD_LENGTH_MAX,
        required=False,
        help_text=_("Members with the same household belong together."),
    )
    tags = forms.CharField(
        label=_("Tags"), max_length=900, required=False, help_text=_("Separated by commas, such as regular, press.")
    )
    consents = forms.MultipleChoiceField(
        label=_("The member allowed"),
        required=False,
        choices=[(name, wording.title) for name, wording in PURPOSES.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(cleaned.get(name) for name in ("name", "phone", "email")) and not set(self.errors):
            self.add_error("name", _("Give a name, an e-mail address or a telephone number."))
        tags = cleaned.get("tags", "").replace("，", ",").split(",")
        try:
            cleaned["tags"] = [profile.check_tag(each) for each in tags if each.strip()]
        except profile.ProfileInvalid:
            self.add_error("tags", _("A tag has at most 40 characters."))
        return cleaned

    def profile(self) -> Profile:
        """What a valid form says."""
        given = self.cleaned_data
        return Profile(
            name=given["name"],
            phone=given["phone"],
            email=given["email"],
            birthday=given["birthday"] or "",
            household=given["household"],
            tags=given["tags"],
        )


class JoinForm(DeskForm):
    """What somebody says who joins by a code."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=profile.NAME_LENGTH_MAX,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=contacts.PHONE_LENGTH_MAX,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=contacts.EMAIL_LENGTH_MAX,
        required=False,
        error_messages={"invalid": _("This is no e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    consents = forms.MultipleChoiceField(
        required=False,
        choices=[(name, wording.title) for name, wording in PURPOSES.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def profile(self) -> Profile:
        """What a valid form says: nothing of what was left empty."""
        given = self.cleaned_data
        return Profile(name=given["name"] or None, phone=given["phone"] or None, email=given["email"] or None)
