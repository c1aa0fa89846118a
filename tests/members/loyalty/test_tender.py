"""Points as a tender, through the doors: the payer's page, then refunds of a part."""

import pytest

from members.loyalty import operations, queries
from merchant_platform.kernel import tenancy
from tests.cast import NOW, origin_of, owed_to, shown
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import catch_up, points
from tests.payers import Visitor, item, offer
from tests.payments import books

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A17")]


@pytest.fixture
def programme(book):
    return scheme.start(book)


@pytest.fixture
def member(book, customer, programme):
    """A member with 2,050 points to spend."""
    joined = scheme.join(customer)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=programme.pk, points=3_000, reference="budget", now=NOW)
        operations.adjust(
            programme=programme,
            member_id=joined.pk,
            points=2_050,
            reason="Gift",
            reference="gift",
            now=NOW,
            origin=origin_of(book),
        )
    return joined


def choose(visitor, source, amount):
    """Send the form on the page that has this source."""
    field = next(each for each in visitor.page.all("input") if each.attributes.get("value") == source)
    form = next(each for each in visitor.page.all("form") if each in field.ancestors)
    token = visitor.client.cookies["csrftoken"].value
    sent = visitor.client.post(form["action"], {"source": source, "amount": amount, "csrfmiddlewaretoken": token})
    assert sent.status_code in (302, 303)


def test_pays_a_part_beside_a_card_and_both_come_back_in_part(api, book, programme, member, customer, acquirer):
    known = {"customer": shown("cus", customer), "customer_authenticated": "true"}
    session = offer(api, item("Latte", 6_000, quantity=2), **known)
    visitor = Visitor(session)
    with tenancy.within(book.pk):
        source = f"points:{queries.standing_id(member.pk, programme)}"

    choose(visitor, source, "20")
    visitor.pay_by_card()
    catch_up(book)

    # Of ¥120.00 points paid ¥20.00; the other ¥100.00 earn.
    assert (visitor.stage, points(member, programme)) == ("paid", (50, 100, 0))
    assert owed_to(book) == 10_000 - 60
    order, seen = session["order"], []
    for amount in (4_000, 7_000):
        given = api.post(f"orders/{order}/refund", {"amount": amount})
        assert given.status == 200, given.json
        catch_up(book)
        seen.append(([each["units"] for each in given.json["tender_refunds"]], points(member, programme)))

    # The card is given back first, then the points; what the order earned follows the money.
    assert seen == [([], (50, 60, 0)), ([1_000], (1_050, 0, 0))]
    found = api.get(f"orders/{order}").json
    (tender,) = api.get(f"orders/{order}/tenders").json["data"]
    assert (found["amount_refunded"], found["amount_tendered"]) == (11_000, 2_000)
    assert (tender["amount"], tender["amount_refunded"]) == (2_000, 1_000)
    scheme.assert_proved()
    books.assert_agree()
