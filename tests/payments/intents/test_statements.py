"""The provider's statement and our books say the same, or the difference is told."""

from datetime import timedelta

import pytest

from payments import proof
from tests.cast import NOW
from tests.payments import books
from tests.payments.card_acts import paid

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
DAY = NOW.date()


@pytest.fixture
def trade(api, acquirer):
    """A day's payments, captures in parts, and a refund."""
    whole = paid(api, amount=5_000)
    held = paid(api, amount=9_000, capture_method="manual")
    for amount, is_final in ((2_000, False), (2_000, False), (1_000, True)):
        api.post(f"payment_intents/{held['id']}/capture", {"amount_to_capture": amount, "final_capture": is_final})
    refund = api.post("refunds", {"payment_intent": whole["id"], "amount": 1_500}).json
    return whole, held, refund


class TestProveAgainstProviders:
    def test_finds_nothing_where_both_agree(self, trade):
        assert proof.prove_against_providers(day=DAY) == []
        assert proof.prove_against_providers(day=DAY + timedelta(days=1)) == []

    def test_tells_what_was_posted_and_never_happened(self, trade):
        whole, _, _ = trade
        books.run("ALTER TABLE payments_entry DISABLE TRIGGER append_only")
        books.run("UPDATE payments_entry SET amount_minor = 5001 WHERE amount_minor = 5000")
        books.run("ALTER TABLE payments_entry ENABLE TRIGGER append_only")

        found = [difference.detail.partition(": ")[2] for difference in proof.prove_against_providers(day=DAY)]

        charge = whole["latest_charge"]
        assert found == [
            f"charge of 5000 for {charge} is on the statement and was not posted",
            f"charge of 5001 for {charge} was posted and is on no statement",
        ]

    def test_tells_where_there_is_no_statement(self, trade, acquirer, book):
        acquirer.fail("error_before_commit", operation="statement")

        (found,) = proof.prove_against_providers(day=DAY)

        assert found.detail == f"book {book.pk}: sandbox gave no statement of {DAY}"
