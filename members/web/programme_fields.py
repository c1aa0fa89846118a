"""Fields that several forms of programmes have."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy


def whole(label: Any, low: int, high: int, *, hint: Any = "", required: bool = False) -> forms.IntegerField:
    """A whole number within bounds, in words."""
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=high,
        required=required,
        help_text=hint,
        error_messages={
            "invalid": gettext_lazy("Write a whole number."),
            "min_value": gettext_lazy("At least %(limit_value)s."),
            "max_value": gettext_lazy("At most %(limit_value)s."),
        },
    )
