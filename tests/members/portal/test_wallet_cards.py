"""All that a consumer has with a merchant, on two pages of the wallet; what they own ties to the ledger."""

import re

import pytest

from members.loyalty import operations, purses
from members.offers import codes
from members.offers.codes import CodeDraft
from merchant_platform.kernel import tenancy
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.stored_value.models import StoredValueCard
from security.identity.models import User
from tests.cast import NOW, origin_of
from tests.members.loyalty import scheme
from tests.members.offers.book import make
from tests.payments.tenders.acts import gift, on_card
from tests.staff import sign_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A9")]


@pytest.fixture
def client(payer):
    return sign_in(User.objects.get(email=payer.email), factor=None)


def read(client, page):
    found = client.get(f"/wallet/test/{page}").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def test_shows_membership_points_coupon_and_gift_card_and_nobody_elses(
    client, book, payer, make_customer, make_payer, other_book
):
    customer = make_customer(book, consumer=payer.wallet.consumer)
    member, programme = scheme.join(customer), scheme.start(book)
    card, _, _ = gift(book, 500, 50)
    coupon = make(book, "Ten", "percent", {"off_ppm": 100_000}, trigger="code")
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=programme.pk, points=1_000, reference="budget", now=NOW)
        operations.adjust(
            programme=programme,
            member_id=member.pk,
            points=120,
            reason="Gift",
            reference="gift",
            now=NOW,
            origin=origin_of(book),
        )
        codes.create(
            offer=coupon, draft=CodeDraft(code="MEI", customer_id=customer.pk), now=NOW, origin=origin_of(book)
        )
        StoredValueCard.objects.update(customer=customer)
        account = purses.account(programme, chart.POINTS, member.pk)
        held = ledger.guarded(account).posted_minor
    other = make_payer(1_000, email="stranger@example.com")
    stranger = sign_in(User.objects.get(email=other.email), factor=None)

    cards, assets = read(client, "cards"), read(client, "assets")

    for words in (f"No. {member.number}", programme.name, "120 points", "MEI", "10 % off", f"•••• {card.last4}"):
        assert words in cards, words
        assert words not in read(stranger, "cards"), words
    assert (held, sum(on_card(book, card))) == (120, 550)
    assert f"CN¥{(payer.balance + 550) / 100:.2f}" in assets
    for words in ("CN¥5.50", programme.name, "120 points"):
        assert words in assets, words
        assert words not in read(stranger, "assets"), words
