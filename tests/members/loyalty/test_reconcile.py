"""The proof of points finds what nobody of ours could have written."""

import pytest

from members.loyalty import operations
from members.loyalty.reconcile import CHECKS
from merchant_platform.kernel import tenancy
from payments import proof
from payments.ledger import reconcile
from tests.cast import NOW
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import catch_up
from tests.payments import books
from tests.payments.acts import pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

WRONGS = {
    "a lot that has less than the ledger": (
        "UPDATE members_lot SET remaining_points = remaining_points - 1",
        {"lots_are_the_ledger", "lots_add_up"},
    ),
    "a lot of somebody without an account": (
        "UPDATE members_lot SET programme_id = programme_id, member_id = (SELECT id FROM members_member m"
        " WHERE NOT EXISTS (SELECT 1 FROM members_lot l WHERE l.member_id = m.id))",
        {"lots_are_the_ledger", "lots_have_their_account"},
    ),
    "an accrual that kept too much": (
        "UPDATE members_accrual SET returned_minor = 5000",
        {"accruals_follow_their_orders", "lifetimes_are_what_was_earned"},
    ),
    "a lifetime of nothing": (
        "UPDATE members_standing SET lifetime_spend_minor = 0",
        {"lifetimes_are_what_was_earned"},
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_finds(wrong, api, book, customer, make_customer, wallet_method):
    programme = scheme.start(book)
    scheme.join(customer)
    scheme.join(make_customer(book, name="Wang Wei"))
    pay(api, wallet_method(customer), 10_000)
    catch_up(book)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=programme.pk, points=10, reference="budget", now=NOW)
    assert proof.prove() == []
    statement, checks = WRONGS[wrong]

    books.run(statement)

    assert {difference.check for difference in reconcile.differences(CHECKS)} == checks


def test_is_part_of_the_books_proof():
    assert set(CHECKS) <= set(proof.checks())
