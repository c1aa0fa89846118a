"""The privacy registry: every field of every model has a class, or `manage.py check` fails.

A model says it in one attribute:

    privacy = classes(opaque="id book created_at", business="name", personal="email")

`opaque` says nothing of anybody (ids, times, states, integers of the ledger),
`business` is the merchant's own data, `personal` relates to a person and is exported and
erased with them, `secret` must not be shown to anybody (digests, keys).
"""

from collections.abc import Iterable
from enum import StrEnum

from django.apps import apps
from django.core import checks
from django.db import models


class PrivacyClass(StrEnum):
    OPAQUE = "opaque"
    BUSINESS = "business"
    PERSONAL = "personal"
    SECRET = "secret"


# Models of libraries that cannot carry the attribute; the roof registers them.
_elsewhere: dict[str, dict[str, PrivacyClass]] = {}


def classes(*, opaque: str = "", business: str = "", personal: str = "", secret: str = "") -> dict[str, PrivacyClass]:
    """Field names by class, each a space-separated list."""
    named = {
        PrivacyClass.OPAQUE: opaque,
        PrivacyClass.BUSINESS: business,
        PrivacyClass.PERSONAL: personal,
        PrivacyClass.SECRET: secret,
    }
    return {field: privacy_class for privacy_class, fields in named.items() for field in fields.split()}


def register(model_label: str, fields: dict[str, PrivacyClass]) -> None:
    """Classify a library's model, by its label (`sessions.Session`)."""
    _elsewhere[model_label] = fields


def of(model: type[models.Model]) -> dict[str, PrivacyClass]:
    """The classes of a model's fields."""
    return getattr(model, "privacy", None) or _elsewhere.get(model._meta.label, {})


@checks.register("privacy")
def every_field_is_classified(app_configs: object, **_: object) -> Iterable[checks.CheckMessage]:
    for model in apps.get_models(include_auto_created=True):
        known = of(model)
        concrete = {field.name for field in model._meta.local_fields if not _is_composite(field)}
        for name in sorted(concrete - set(known)):
            yield checks.Error(f"{model._meta.label}.{name} has no privacy class", obj=model, id="privacy.E001")
        for name in sorted(set(known) - concrete - {f.name for f in model._meta.fields}):
            yield checks.Error(f"{model._meta.label} classifies {name}, which it has not", obj=model, id="privacy.E002")


def _is_composite(field: models.Field) -> bool:
    return isinstance(field, models.CompositePrimaryKey)
