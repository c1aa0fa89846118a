"""One book never reaches another's rows: in raw SQL, in every tenant table, over every foreign key."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connections, transaction
from psycopg2 import errorcodes

from merchant_platform.kernel import tenancy
from merchant_platform.tables import APP_READS, APPEND_ONLY, TENANT
from tests import database
from tests.architecture.asking import ask, code_of
from tests.architecture.world import World, insertion, references, stored
from tests.cast import name_cluster

pytestmark = [
    pytest.mark.django_db(databases=["default", "platform"]),
    pytest.mark.requirement("A2"),
]

TABLES = sorted(TENANT)
CHANGEABLE = sorted(TENANT - APPEND_ONLY - APP_READS)


@pytest.fixture(scope="module")
def worlds(django_db_setup, django_db_blocker):
    """Two books with a row in every tenant table. Committed, and only read by the tests below."""
    with django_db_blocker.unblock():
        name_cluster()
        yield World(uuid4()).fill(), World(uuid4()).fill()
        database.empty()


@pytest.fixture
def ours(worlds):
    return worlds[0]


@pytest.fixture
def theirs(worlds):
    return worlds[1]


def refusal(statement: str, parameters: list) -> str | None:
    """The SQLSTATE with which the database refuses a statement of the app role in the open book."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        # What is checked at the commit is checked at once.
        connections["default"].cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}", parameters)
    return code_of(refused.value)


def changed(statement: str, parameters: list) -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


@pytest.mark.parametrize("table", TABLES)
class TestTable:
    def test_shows_the_rows_of_the_open_book_alone(self, table, ours, theirs):
        with tenancy.within(ours.book_id):
            seen = ask("default", f"SELECT DISTINCT book_id FROM {table}")
            count = ask("default", f"SELECT count(*) FROM {table}")
            sought = ask("default", f"SELECT count(*) FROM {table} WHERE book_id = %s", [theirs.book_id])

        assert seen == [(ours.book_id,)]
        assert count == [(len(stored(table, ours.book_id)),)]
        assert sought == [(0,)]

    def test_shows_nothing_where_no_book_is_open(self, table, worlds):
        before = ask("default", f"SELECT count(*) FROM {table}")
        with tenancy.within(worlds[0].book_id):
            pass
        after = ask("default", f"SELECT count(*) FROM {table}")

        assert (before, after) == ([(0,)], [(0,)])

    def test_shows_the_platform_role_every_book(self, table, ours, theirs):
        seen = ask("platform", f"SELECT DISTINCT book_id FROM {table}")

        assert {book_id for (book_id,) in seen} == {ours.book_id, theirs.book_id}

    def test_takes_no_row_for_another_book(self, table, ours, theirs):
        before = stored(table, theirs.book_id)

        # The very row that is there: not even a unique key tells of it.
        with tenancy.within(ours.book_id):
            code = refusal(*insertion(table, theirs.row(table)))

        assert code == errorcodes.INSUFFICIENT_PRIVILEGE
        assert stored(table, theirs.book_id) == before


@pytest.mark.parametrize("table", CHANGEABLE)
class TestChangeableTable:
    def test_changes_nothing_of_another_book(self, table, ours, theirs):
        before = stored(table, theirs.book_id)

        with tenancy.within(ours.book_id):
            updated = changed(f"UPDATE {table} SET book_id = book_id WHERE book_id = %s", [theirs.book_id])
            deleted = changed(f"DELETE FROM {table} WHERE book_id = %s", [theirs.book_id])

        assert (updated, deleted) == (0, 0)
        assert stored(table, theirs.book_id) == before

    def test_gives_no_row_away_to_another_book(self, table, ours, theirs):
        before = stored(table, ours.book_id)

        with tenancy.within(ours.book_id):
            code = refusal(f"UPDATE {table} SET book_id = %s WHERE book_id = %s", [theirs.book_id, ours.book_id])

        assert code == errorcodes.INSUFFICIENT_PRIVILEGE
        assert stored(table, ours.book_id) == before


REFERENCES = [
    ("analytics_report", "schedule_id"),
    ("kernel_delivery", "event_id"),
    ("members_accrual", "decision_id"),
    ("members_accrual", "lot_id"),
    ("members_accrual", "member_id"),
    ("members_accrual", "order_id"),
    ("members_accrual", "programme_id"),
    ("members_contact", "member_id"),
    ("members_correction", "member_id"),
    ("members_discountshare", "line_id"),
    ("members_discountshare", "order_id"),
    ("members_discountshare", "redemption_id"),
    ("members_duplicate", "member_id"),
    ("members_duplicate", "merge_id"),
    ("members_duplicate", "other_id"),
    ("members_features", "member_id"),
    ("members_importrow", "job_id"),
    ("members_importrow", "member_id"),
    ("members_lot", "entry_id"),
    ("members_lot", "member_id"),
    ("members_lot", "programme_id"),
    ("members_lotmove", "entry_id"),
    ("members_lotmove", "lot_id"),
    ("members_member", "customer_id"),
    ("members_member", "household_id"),
    ("members_member", "merged_into_id"),
    ("members_membertag", "member_id"),
    ("members_membertag", "tag_id"),
    ("members_merge", "loser_id"),
    ("members_merge", "winner_id"),
    ("members_offerbonus", "lot_id"),
    ("members_offerbonus", "member_id"),
    ("members_offerbonus", "order_id"),
    ("members_offerbonus", "programme_id"),
    ("members_offerredemption", "code_id"),
    ("members_offerredemption", "customer_id"),
    ("members_offerredemption", "offer_id"),
    ("members_offerredemption", "order_id"),
    ("members_offerversion", "offer_id"),
    ("members_programmeterms", "programme_id"),
    ("members_promotioncode", "customer_id"),
    ("members_promotioncode", "offer_id"),
    ("members_redemption", "member_id"),
    ("members_redemption", "reward_id"),
    ("members_reward", "programme_id"),
    ("members_run", "programme_id"),
    ("members_standing", "member_id"),
    ("members_standing", "programme_id"),
    ("payments_attempt", "intent_id"),
    ("payments_bulkitem", "intent_id"),
    ("payments_bulkitem", "job_id"),
    ("payments_checkoutsession", "customer_id"),
    ("payments_checkoutsession", "intent_id"),
    ("payments_checkoutsession", "order_id"),
    ("payments_formernote", "note_id"),
    ("payments_holdoutcome", "entry_id"),
    ("payments_holdoutcome", "hold_id"),
    ("payments_note", "intent_id"),
    ("payments_order", "customer_id"),
    ("payments_orderline", "price_id"),
    ("payments_orderline", "product_id"),
    ("payments_paymentintent", "order_id"),
    ("payments_paymentintent", "payment_method_id"),
    ("payments_paymentmethod", "customer_id"),
    ("payments_paymentmethod", "mandate_id"),
    ("payments_price", "product_id"),
    ("payments_receipt", "intent_id"),
    ("payments_receipt", "order_id"),
    ("payments_refund", "attempt_id"),
    ("payments_refund", "entry_id"),
    ("payments_refund", "failure_entry_id"),
    ("payments_refund", "intent_id"),
    ("payments_refundline", "order_line_id"),
    ("payments_refundline", "refund_id"),
    ("payments_refundline", "tender_refund_id"),
    ("payments_setupintent", "customer_id"),
    ("payments_setupintent", "payment_method_id"),
    ("payments_storedvaluecard", "customer_id"),
    ("payments_storedvalueload", "card_id"),
    ("payments_storedvalueload", "entry_id"),
    ("payments_storedvalueload", "order_line_id"),
    ("payments_tender", "customer_id"),
    ("payments_tender", "entry_id"),
    ("payments_tender", "hold_id"),
    ("payments_tender", "intent_id"),
    ("payments_tender", "order_id"),
    ("payments_tenderrefund", "entry_id"),
    ("payments_tenderrefund", "tender_id"),
    ("payments_topup", "intent_id"),
    ("payments_webhookattempt", "delivery_id"),
    ("payments_webhookdelivery", "endpoint_id"),
    ("payments_webhookdelivery", "event_id"),
    ("security_cardtoken", "data_key_id"),
]


class TestReferences:
    def test_are_all_tried_here(self):
        present = [
            (table, reference.column)
            for table in TABLES
            for reference in references(table)
            if reference.target in TENANT
        ]

        assert sorted(present) == REFERENCES

    def test_name_the_book_on_both_sides(self):
        others = [
            reference
            for table in TABLES
            for reference in references(table)
            if reference.target in TENANT
            and (reference.columns != ("book_id", reference.column) or reference.target_columns != ("book_id", "id"))
        ]

        assert others == []

    @pytest.mark.parametrize(("table", "column"), REFERENCES)
    def test_reach_no_row_of_another_book(self, table, column, ours, theirs):
        reference = next(each for each in references(table) if each.column == column)
        row = ours.values(table, **{column: theirs.row(reference.target)["id"]})

        with tenancy.within(ours.book_id):
            code = refusal(*insertion(table, row))

        assert code == errorcodes.FOREIGN_KEY_VIOLATION

    @pytest.mark.parametrize(("table", "column"), REFERENCES)
    def test_reach_a_row_of_the_own_book(self, table, column, ours):
        """Or the test above would pass for a row that is refused for any other reason."""
        reference = next(each for each in references(table) if each.column == column)
        row = ours.values(table, **{column: ours.target(reference)})

        with tenancy.within(ours.book_id):
            written = changed(*insertion(table, row))

        assert written == 1
