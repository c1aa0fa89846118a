"""What a customer allows: given and taken back alike, once however often it is said."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.events.models import Event
from security.audit import operations as audit
from security.audit.models import AuditRecord
from security.privacy import operations as consents
from security.privacy import queries, wording
from security.privacy.models import Consent
from tests.cast import NOW, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A25")]

LATER = NOW + timedelta(days=3)


@pytest.fixture
def say(book):
    """Says yes or no to a purpose in the café's test book."""

    def call(verb, customer, purpose="marketing", now=NOW):
        with tenancy.within(book.pk):
            return verb(customer_id=customer.pk, purpose=purpose, source="wallet", now=now, actor=audit.PLATFORM)

    return call


def rows(book):
    with tenancy.within(book.pk):
        return list(Consent.objects.order_by("id").values_list("purpose", "granted_at", "withdrawn_at"))


def told(book):
    with tenancy.within(book.pk):
        return list(Event.objects.filter(type__startswith="consent.").order_by("pk").values_list("type", flat=True))


def allows(book, customer, purpose="marketing"):
    with tenancy.within(book.pk):
        return queries.allows(customer.pk, purpose)


class TestGrant:
    def test_is_said_once_however_often(self, book, customer, say):
        before = allows(book, customer)

        first = say(consents.grant, customer)
        again = say(consents.grant, customer, now=LATER)

        assert (before, allows(book, customer), allows(book, customer, "profile")) == (False, True, False)
        assert first.pk == again.pk
        assert rows(book) == [("marketing", NOW, None)]
        assert told(book) == ["consent.granted"]
        assert list(AuditRecord.objects.values_list("action", "object_id", "detail")) == [
            ("consent.granted", ids.show("cus", customer.pk), {"purpose": "marketing", "wording_version": 1})
        ]

    def test_is_said_once_by_two_at_once(self, book, customer, say):
        race(*[lambda: say(consents.grant, customer)] * 8)

        assert rows(book) == [("marketing", NOW, None)]
        assert told(book) == ["consent.granted"]

    def test_to_older_words_is_replaced_by_one_to_the_present(self, book, customer, say):
        say(consents.grant, customer)
        changed = wording.PURPOSES["marketing"].__class__(version=2, title="", text="")

        with patch.dict(wording.PURPOSES, marketing=changed):
            say(consents.grant, customer, now=LATER)

        assert rows(book) == [("marketing", NOW, LATER), ("marketing", LATER, None)]

    def test_refuses_a_purpose_that_nobody_is_asked_about(self, book, customer, say):
        with pytest.raises(Invalid):
            say(consents.grant, customer, "everything")

        assert (rows(book), told(book), AuditRecord.objects.count()) == ([], [], 0)


class TestWithdraw:
    def test_is_as_easy_as_to_give_and_keeps_what_was(self, book, customer, say):
        say(consents.grant, customer)

        for _ in range(2):
            say(consents.withdraw, customer, now=LATER)
        between = allows(book, customer)
        say(consents.grant, customer, now=LATER)

        assert (between, allows(book, customer)) == (False, True)
        assert rows(book) == [("marketing", NOW, LATER), ("marketing", LATER, None)]
        assert told(book) == ["consent.granted", "consent.withdrawn", "consent.granted"]

    def test_without_a_consent_does_nothing(self, book, customer, say):
        say(consents.withdraw, customer)

        assert (rows(book), told(book)) == ([], [])

    def test_of_one_customer_leaves_the_others(self, book, customer, make_customer, say):
        other = make_customer(book, name="Zhang San")
        for who in (customer, other):
            say(consents.grant, who)

        say(consents.withdraw, customer)

        with tenancy.within(book.pk):
            assert queries.allowing([customer.pk, other.pk], "marketing") == {other.pk}
            assert list(queries.standing(other.pk)) == ["marketing"]
            assert [one.withdrawn_source for one in Consent.objects.filter(customer_id=customer.pk)] == ["wallet"]
