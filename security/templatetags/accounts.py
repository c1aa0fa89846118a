"""Tags of the pages about a login."""

from typing import Any

from django import forms, template
from django.utils.safestring import SafeString

register = template.Library()

_UNSTYLED = (forms.CheckboxInput, forms.RadioSelect, forms.HiddenInput)


@register.simple_tag
def input(field: Any) -> SafeString:
    """A field of a library's form in the platform's look. A placeholder that repeats the label is left out."""
    widget = field.field.widget
    if isinstance(widget, _UNSTYLED):
        return field.as_widget()
    widget.attrs.pop("placeholder", None)
    described = {"aria-describedby": f"{field.id_for_label}_error"} if field.errors else {}
    return field.as_widget(attrs={"class": "input", **described})
