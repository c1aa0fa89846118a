"""The books proof finds what it says it finds: one row is made wrong, as the owner, and that check tells."""

import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Delivery, Event
from merchant_platform.kernel.wire import load
from payments import proof
from payments.ledger import checkpoints
from payments.ledger import operations as ledger
from security.merchants.queries import platform_book_id
from tests.cast import NOW
from tests.payments import books
from tests.payments.acts import pay, refund

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

WALLET = "(SELECT account_id FROM payments_wallet LIMIT 1)"
NOWHERE = "'00000000-0000-7000-8000-000000000000'"
# A tender of the one order that the world has, beside its payment of 100 yuan.
TENDER = (
    "INSERT INTO payments_tender (id, book_id, order_id, method, source_id, label, status, amount_minor, currency,"
    " tries_count, hold_id, entry_id, intent_id, refunded_minor, refunded_units, created_at)"
    " SELECT gen_random_uuid(), i.book_id, i.order_id, 'points', gen_random_uuid(), 'Points', %s, 1, 'CNY', 1,"
    " h.id, %s, 0, 0, now() FROM payments_paymentintent i JOIN payments_hold h ON h.book_id = i.book_id"
    " JOIN payments_entry e ON e.book_id = i.book_id WHERE e.kind = 'charge' LIMIT 1"
)


# What is made wrong, and the check that must tell.
WRONGS = {
    "a wallet's balance is one too high": (
        "guarded_posted",
        f"UPDATE payments_accountbalance SET posted_minor = posted_minor + 1 WHERE account_id = {WALLET}",
    ),
    "a wallet's balance is one too low": (
        "guarded_posted",
        f"UPDATE payments_accountbalance SET posted_minor = posted_minor - 1 WHERE account_id = {WALLET}",
    ),
    "a wallet's balance row is gone": (
        "guarded_posted",
        f"DELETE FROM payments_accountbalance WHERE account_id = {WALLET}",
    ),
    "more is reserved than held": (
        "guarded_reserved",
        f"UPDATE payments_accountbalance SET reserved_minor = reserved_minor + 1 WHERE account_id = {WALLET}",
    ),
    "a hold has no reserve": ("guarded_reserved", "DELETE FROM payments_holdoutcome"),
    "a balance belongs to nobody": (
        "balance_of_no_account",
        f"INSERT INTO payments_accountbalance (account_id, posted_minor, reserved_minor) VALUES ({NOWHERE}, 0, 0)",
    ),
    "a checkpoint is one too high": (
        "checkpoints",
        "UPDATE payments_checkpoint SET posted_minor = posted_minor + 1 WHERE account_id = (SELECT id FROM"
        " payments_account WHERE code = 'merchant')",
    ),
    "a transfer lost its entry": (
        "transfers_hang_together",
        "UPDATE payments_transfer SET entry_id = gen_random_uuid() WHERE entry_id = (SELECT id FROM payments_entry"
        " WHERE kind = 'refund')",
    ),
    "a transfer's account is not there": (
        "transfers_hang_together",
        f"UPDATE payments_transfer SET credit_account_id = {NOWHERE}",
    ),
    "an intent names a customer of another book": (
        "references_hold",
        f"UPDATE payments_paymentintent SET customer_id = {NOWHERE}",
    ),
    "a charge names a customer who is not there": (
        "references_hold",
        f"UPDATE payments_attempt SET customer_id = {NOWHERE}",
    ),
    "a charge names a payment method that is not there": (
        "references_hold",
        f"UPDATE payments_attempt SET payment_method_id = {NOWHERE}",
    ),
    "a line's order is not there": ("references_hold", f"UPDATE payments_orderline SET order_id = {NOWHERE}"),
    "a transfer is in another unit": ("transfers_in_their_book", "UPDATE payments_transfer SET unit = 'USD/2'"),
    "a transfer is in another book": (
        "transfers_in_their_book",
        "UPDATE payments_account SET book_id = gen_random_uuid() WHERE code = 'merchant'",
    ),
    "an account is in another mode": (
        "transfers_in_their_book",
        "UPDATE payments_account SET mode = 'live' WHERE code = 'fees'",
    ),
    "an entry says more than it moved": (
        "entries_move_what_they_say",
        "UPDATE payments_entry SET amount_minor = amount_minor + 1 WHERE kind = 'charge'",
    ),
    "an entry says another fee": (
        "entries_move_what_they_say",
        "UPDATE payments_entry SET fee_minor = fee_minor + 1 WHERE kind = 'refund'",
    ),
    "an entry lost its transfers": (
        "entries_are_not_empty",
        "DELETE FROM payments_transfer WHERE entry_id = (SELECT id FROM payments_entry WHERE kind = 'refund')",
    ),
    "a hold was forgotten": (
        "holds_end",
        "INSERT INTO payments_hold (id, book_id, account_id, unit, amount_minor, reference, effective_at, expires_at)"
        f" SELECT gen_random_uuid(), gen_random_uuid(), {WALLET}, 'CNY/2', 1, 'forgotten', now() - interval '9 days',"
        " now() - interval '2 days'",
    ),
    "the bank's account is another": ("safeguarding", "UPDATE payments_account SET code = 'x' WHERE code = 'bank'"),
    "money came from nowhere": (
        "safeguarding",
        "DELETE FROM payments_transfer WHERE debit_account_id = (SELECT id FROM payments_account WHERE code = 'bank');"
        "INSERT INTO payments_account (id, code, owner_id, unit, mode)"
        f" VALUES ({NOWHERE}, 'x', {NOWHERE}, 'CNY/2', 'test');"
        "INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor)"
        f" SELECT gen_random_uuid(), e.book_id, e.id, {NOWHERE}, {WALLET}, 'CNY/2', 100000"
        " FROM payments_entry e WHERE kind = 'top_up'",
    ),
    "the cluster is another": ("cluster", "UPDATE payments_cluster SET system_identifier = 1"),
    "a captured charge has no entry": ("captured_is_posted", "UPDATE payments_attempt SET entry_id = NULL"),
    "a charge has another fee than its entry": (
        "captured_is_posted",
        "UPDATE payments_attempt SET fee_minor = fee_minor + 1",
    ),
    "a declined charge has an entry": (
        "captured_is_posted",
        "UPDATE payments_attempt SET status = 'declined'",
    ),
    "an entry names a charge that is none": (
        "charges_are_known",
        "UPDATE payments_entry SET source_id = gen_random_uuid() WHERE kind = 'charge'",
    ),
    "an entry names a refund that is none": (
        "charges_are_known",
        "UPDATE payments_entry SET source_id = gen_random_uuid() WHERE kind = 'refund'",
    ),
    "an intent received less than its charge took": (
        "intents_received",
        "UPDATE payments_paymentintent SET received_minor = received_minor - 1",
    ),
    "late money was kept": ("late_is_given_back", "UPDATE payments_attempt SET is_late = true"),
    "a provider took what it does not owe": (
        "acquirer_owes_the_charges",
        "UPDATE payments_attempt SET provider = 'sandbox', captures_count = 1",
    ),
    "an intent is paid and does not say so": (
        "intents_received",
        "UPDATE payments_paymentintent SET status = 'processing'",
    ),
    "a charge counts more refunds than there are": (
        "refunds_counted",
        "UPDATE payments_attempt SET refunded_minor = refunded_minor + 1",
    ),
    "a refund gave back another fee": (
        "refunds_posted",
        "UPDATE payments_refund SET fee_returned_minor = fee_returned_minor + 1",
    ),
    "more of the fee came back than was taken": (
        "refunds_counted",
        "UPDATE payments_refund SET fee_returned_minor = 1000",
    ),
    "a refund is of another amount": ("refunds_posted", "UPDATE payments_refund SET amount_minor = amount_minor + 1"),
    "a refund's lines sum to more": ("refund_lines", "UPDATE payments_refundline SET amount_minor = amount_minor + 1"),
    "a line counts a quantity that came back": ("refund_lines", "UPDATE payments_orderline SET refunded_quantity = 1"),
    "an order is paid less than its intents say": (
        "orders_add_up",
        "UPDATE payments_order SET paid_minor = paid_minor - 1",
    ),
    "an order is paid and does not say so": ("orders_add_up", "UPDATE payments_order SET status = 'open'"),
    "an order totals more than its lines": (
        "orders_add_up",
        "UPDATE payments_order SET total_minor = total_minor + 1",
    ),
    "an order counts more refunds than its lines": (
        "orders_add_up",
        "UPDATE payments_order SET refunded_minor = refunded_minor + 1",
    ),
    "an order counts a tender that it has not": ("tenders_counted", "UPDATE payments_order SET tendered_minor = 1"),
    "a tender's hold was given back": ("tenders_hold", TENDER % ("'reserved'", "NULL, NULL")),
    "a tender waits for nothing": ("tenders_wait_for_something", TENDER % ("'reserved'", "NULL, NULL")),
    "a tender is a payment of another amount": (
        "tenders_of_money_are_payments",
        TENDER % ("'completed'", "e.id, i.id"),
    ),
    "a card holds one more than is owed": (
        "stored_value_is_owed",
        "UPDATE payments_accountbalance SET posted_minor = posted_minor + 1 WHERE account_id = (SELECT id FROM"
        " payments_account WHERE code = 'stored_value')",
    ),
    "a load is of another amount": (
        "stored_value_loads",
        "UPDATE payments_storedvalueload SET amount_minor = amount_minor + 1",
    ),
}


@pytest.fixture
def world(api, customer, wallet_method, book):
    """A payment, a part of it given back, a hold that was voided, checkpoints under some of it, and a gift card."""
    method = wallet_method(customer, 100_000)
    paid = pay(api, method, 10_000).json
    checkpoints.roll_forward()
    refund(api, paid, 4_000)
    with tenancy.within(book.pk):
        account = method.mandate.wallet.account
        hold = ledger.reserve(account=account, amount_minor=50, reference="table 7", now=NOW)
    with tenancy.within(book.pk):
        ledger.void(hold=hold, account=account, now=NOW)
    assert api.post("stored_value_cards", {"currency": "cny", "amount": 3_000}).status == 200
    assert proof.prove() == []


class TestProve:
    @pytest.mark.parametrize("name", WRONGS)
    def test_finds_what_is_wrong_and_nothing_once_it_is_right(self, world, name):
        check, wrong = WRONGS[name]

        with tampered(wrong):
            found = proof.prove()

        assert check in {difference.check for difference in found}
        assert all(difference.detail for difference in found)
        assert proof.prove() == []

    def test_is_tried_with_a_wrong_for_every_check(self):
        assert {check for check, _ in WRONGS.values()} == {check.name for check in proof.CHECKS}

    def test_has_each_check_once_with_its_sentence(self):
        names = [check.name for check in proof.CHECKS]

        assert len(names) == len(set(names)) == 27
        assert all(check.sentence.endswith(".") for check in proof.CHECKS)


# All but what the database computes.
WRITTEN = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


class tampered:
    """A wrong row while it lasts; afterwards all tables are as they were."""

    def __init__(self, wrong):
        self.wrong = wrong

    def __enter__(self):
        self.kept = [
            "payments_account", "payments_accountbalance", "payments_checkpoint", "payments_cluster", "payments_order",
            "payments_orderline", "payments_paymentintent", "payments_entry", "payments_attempt", "payments_refund",
            "payments_refundline", "payments_hold", "payments_holdoutcome", "payments_transfer",
            "payments_storedvaluecard", "payments_storedvalueload", "payments_tender",
        ]  # fmt: skip
        for table in self.kept:
            books.run(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
        self.before = books.rows()
        books.run(self.wrong)
        assert books.rows() != self.before, "nothing was made wrong"

    def __exit__(self, *_):
        # One statement: what points at what is asked when it ends.
        books.run(f"TRUNCATE {', '.join(self.kept)} CASCADE")
        for table in self.kept:
            columns = ", ".join(name for (name,) in books.run(WRITTEN, table))
            books.run(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table}")
            books.run(f"DROP TABLE kept_{table}")
        after = books.rows()
        assert {table: after[table] for table in self.kept} == {table: self.before[table] for table in self.kept}


class TestProveAndTell:
    def test_says_nothing_where_the_books_agree(self, world):
        before = books.rows()

        assert proof.prove_and_tell(now=NOW) == []

        # That they were proved stands in the platform's own audit log, and nothing else anywhere.
        assert {table.partition("_")[0] for table in books.differing(before, books.rows())} == {"security"}

    def test_tells_operators_through_the_outbox(self, world):
        with tampered(WRONGS["a wallet's balance is one too high"][1]):
            found = proof.prove_and_tell(now=NOW)

        with tenancy.within(platform_book_id(mode="live")):
            told = Event.objects.get(type="ledger.difference_found")
            owed = Delivery.objects.get(event_id=told.pk)
        assert [difference.check for difference in found] == ["guarded_posted"]
        assert load(told.data)["differences"] == [{"check": "guarded_posted", "detail": found[0].detail}]
        assert told.is_public is False
        assert owed.target == "merchant_platform.alarms.mail_operators"


class TestReconcile:
    def test_says_each_sentence_that_holds(self, world):
        said = StringIO()

        call_command("reconcile", stdout=said)

        lines = said.getvalue().splitlines()
        assert lines[:-1] == [f"ok  {check.sentence}" for check in proof.checks()]
        assert lines[-1] == f"The books agree: {len(proof.checks())} proofs."

    def test_fails_and_names_what_differs(self, world):
        complained = StringIO()

        with tampered(WRONGS["an order is paid and does not say so"][1]), pytest.raises(CommandError) as failed:
            call_command("reconcile", stderr=complained)

        assert str(failed.value) == "The books do not agree: 1 differences shown above."
        assert complained.getvalue().startswith("orders_add_up: order ")

    def test_ends_a_program_with_failure(self, world):
        command = [sys.executable, "manage.py", "reconcile"]

        with tampered(WRONGS["a wallet's balance is one too high"][1]):
            differing = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)
        agreeing = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)

        assert differing.returncode == 1
        assert "guarded_posted: account " in differing.stderr
        assert (agreeing.returncode, agreeing.stderr) == (0, "")

    def test_leaves_the_janitor_a_day(self, world):
        with tampered(WRONGS["a hold was forgotten"][1]):
            books.run("UPDATE payments_hold SET expires_at = now() - interval '23 hours' WHERE reference = 'forgotten'")

            assert "holds_end" not in {difference.check for difference in proof.prove()}
