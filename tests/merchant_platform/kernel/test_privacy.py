import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import models
from django.test.utils import isolate_apps

from merchant_platform.kernel import privacy
from merchant_platform.kernel.privacy import PrivacyClass, classes
from payments.customers.models import Customer


@pytest.fixture
def alone(monkeypatch):
    """Only the models that a test makes are looked at."""
    with isolate_apps("merchant_platform.kernel") as registry:
        monkeypatch.setattr(privacy, "apps", registry)
        yield


def problems() -> list[tuple[str | None, str]]:
    return [(error.id, error.msg) for error in privacy.every_field_is_classified(None)]


def person(**attributes) -> type[models.Model]:
    return type(
        "Person",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "kernel"}),
            "name": models.TextField(),
            "email": models.EmailField(),
            **attributes,
        },
    )


class TestClasses:
    def test_reads_names_by_class(self):
        assert classes(opaque="id book", business="price", personal="name", secret="digest") == {
            "id": PrivacyClass.OPAQUE,
            "book": PrivacyClass.OPAQUE,
            "price": PrivacyClass.BUSINESS,
            "name": PrivacyClass.PERSONAL,
            "digest": PrivacyClass.SECRET,
        }


class TestEveryFieldIsClassified:
    def test_is_content_where_every_field_is_named(self, alone):
        person(privacy=classes(opaque="id", personal="name email"))

        assert problems() == []

    def test_names_each_field_that_was_forgotten(self, alone):
        person(privacy=classes(opaque="id", personal="name"))

        assert problems() == [("privacy.E001", "kernel.Person.email has no privacy class")]

    def test_names_every_field_of_a_model_that_says_nothing(self, alone):
        person()

        assert problems() == [
            ("privacy.E001", f"kernel.Person.{name} has no privacy class") for name in ("email", "id", "name")
        ]

    def test_names_a_field_that_is_not_there(self, alone):
        person(privacy=classes(opaque="id", personal="name email phone"))

        assert problems() == [("privacy.E002", "kernel.Person classifies phone, which it has not")]

    def test_takes_the_word_of_the_roof_for_a_librarys_model(self, alone, monkeypatch):
        monkeypatch.setattr(privacy, "_elsewhere", {})
        person()

        privacy.register("kernel.Person", classes(opaque="id", personal="name email"))

        assert problems() == []

    def test_leaves_a_key_of_two_columns_to_its_columns(self, alone):
        person(
            pk=models.CompositePrimaryKey("name", "email"),
            privacy=classes(personal="name email"),
        )

        assert problems() == []

    def test_looks_at_tables_that_django_makes_between_others(self, alone):
        person(friends=models.ManyToManyField("self"), privacy=classes(opaque="id", personal="name email"))

        assert problems() == [
            ("privacy.E001", f"kernel.Person_friends.{name} has no privacy class")
            for name in ("from_person", "id", "to_person")
        ]


class TestCheck:
    def test_finds_nothing_on_the_platform(self):
        call_command("check", tags=["privacy"])

    def test_fails_for_a_field_that_lost_its_class(self, monkeypatch):
        known = dict(Customer.privacy)
        del known["phone"]
        monkeypatch.setattr(Customer, "privacy", known)

        with pytest.raises(SystemCheckError, match=r"payments\.Customer\.phone has no privacy class"):
            call_command("check")

    def test_knows_every_model(self):
        unknown = [model._meta.label for model in apps.get_models(include_auto_created=True) if not privacy.of(model)]

        assert unknown == []


class TestOf:
    def test_says_personal_of_what_relates_to_a_person(self):
        personal = {name for name, each in privacy.of(Customer).items() if each == PrivacyClass.PERSONAL}

        assert {"name", "email", "email_key", "phone", "address", "shipping", "metadata"} <= personal
