"""Every id that is shown has a prefix of its own, and every prefix names something."""

from django.apps import apps
from django.db import models

from merchant_platform.kernel import ids
from tests.architecture.asking import is_ours

OURS = [model for model in apps.get_models() if is_ours(model)]
# Rows that nobody is shown by their id: an account follows from whose it is, an outcome from its hold.
UNSHOWN = {"payments.Account", "payments.HoldOutcome"}
# What is shown with a prefix and is no row.
ROWLESS = {"di", "setatt"}


def prefixes() -> dict[str, list[str]]:
    """Prefix to the models that carry it."""
    carried: dict[str, list[str]] = {}
    for model in OURS:
        if hasattr(model, "id_prefix"):
            carried.setdefault(model.id_prefix, []).append(model._meta.label)
    return carried


class TestPrefixes:
    def test_are_registered(self):
        assert set(prefixes()) - set(ids.PREFIXES) == set()

    def test_name_one_model_each(self):
        assert {prefix: labels for prefix, labels in prefixes().items() if len(labels) > 1} == {}

    def test_are_all_carried_by_a_model(self):
        assert set(ids.PREFIXES) - set(prefixes()) == ROWLESS

    def test_stand_on_every_model_with_an_id_that_is_shown(self):
        bare = {
            model._meta.label
            for model in OURS
            if isinstance(model._meta.pk, models.UUIDField)
            and model._meta.pk.name == "id"
            and not hasattr(model, "id_prefix")
        }

        assert bare == UNSHOWN

    def test_are_told_apart_in_front_of_every_id(self):
        assert [prefix for prefix in ids.PREFIXES if not prefix.isalpha() or not prefix.islower()] == []
