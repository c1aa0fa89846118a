"""All that a consumer has with a merchant, on two pages of the wallet; what they own ties to the ledger."""

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from members.loyalty import operations, purses
from members.offers import codes
from members.offers.codes import CodeDraft
from merchant_platform.kernel import ids, tenancy
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

# What the page of one programme asks, session and login among it; nothing of it grows.
STATEMENTS = 28


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

    for words in (member.number, programme.name, "120 points", "MEI", "10% off", f"•••• {card.last4}"):
        assert words in cards, words
        assert words not in read(stranger, "cards"), words
    assert (held, sum(on_card(book, card))) == (120, 550)
    assert f"CN¥{(payer.balance + 550) / 100:.2f}" in assets
    for words in ("CN¥5.50", programme.name, "120 points"):
        assert words in assets, words
        assert words not in read(stranger, "assets"), words


def test_points_have_a_statement_that_only_their_member_reads(
    client, book, payer, make_customer, make_payer, monkeypatch
):
    monkeypatch.setattr("members.web.wallet.points.PAGE", 2)
    customer = make_customer(book, consumer=payer.wallet.consumer)
    member, programme = scheme.join(customer), scheme.start(book)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=programme.pk, points=1_000, reference="budget", now=NOW)
        around = {"programme": programme, "member_id": member.pk, "now": NOW, "origin": origin_of(book)}
        for points in (300, -20, 7):
            operations.adjust(points=points, reason="Gift", reference=f"gift:{points}", **around)
    stranger = sign_in(User.objects.get(email=make_payer(0, email="stranger@example.com").email), factor=None)
    address = f"/wallet/test/points/{ids.show('prog', programme.pk)}"

    with CaptureQueriesContext(connections["default"]) as asked:
        first = client.get(address).content.decode()
    statements = len([each for each in asked if "SAVEPOINT" not in each["sql"]])
    older = client.get(address + re.search(r'href="([^"]+)" rel="next"', first)[1]).content.decode()

    sums = r"wallet-row-sum amount[^>]*>([^<]+)<"
    assert (re.findall(sums, first), re.findall(sums, older)) == (["+7", "-20"], ["+300"])
    assert "287" in re.search(r'wallet-balance-sum">([^<]+)<', first)[1]
    assert "CN¥500.00 more for Silver" in first
    assert 'rel="next"' not in older
    assert statements == STATEMENTS
    assert [stranger.get(address).status_code, client.get("/wallet/test/points/prog_x").status_code] == [404, 404]
