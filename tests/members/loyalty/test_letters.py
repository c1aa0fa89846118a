"""Before points expire, who left an address is written to: once a lot, and once a day."""

from datetime import timedelta

import pytest

from members.directory import merging
from members.directory import operations as directory
from members.loyalty import operations, runs
from members.loyalty.models import Run
from merchant_platform.kernel import ids, tenancy
from payments.customers.models import Customer
from payments.origin import Origin
from security.identity.models import User
from security.messaging import bodies
from security.messaging import operations as messaging
from security.messaging.models import EMAIL, Message
from tests.cast import NOW, move_clock, origin_of
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY
from tests.members.people import hand_of, join
from tests.members.portal.test_wallet_cards import read
from tests.staff import sign_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def programme(book):
    made = scheme.start(book, lifetime_days=30, notice_days=5)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=made.pk, points=10_000, reference="budget", now=NOW)
    return made


def give(programme, member, points, *, after=timedelta(0)):
    """Points that come so long after the start."""
    with tenancy.within(programme.book_id):
        operations.adjust(
            programme=programme,
            member_id=member.pk,
            points=points,
            reason="Gift",
            reference=f"gift:{member.pk}:{points}",
            now=NOW + after,
            origin=Origin(livemode=False),
        )


def letters():
    rows = Message.objects.filter(template="points_expiring").order_by("pk")
    return [(each.address, each.language, each.status, each.subject) for each in rows]


class TestWriteExpiring:
    def test_is_one_a_member_and_day_in_their_language_and_nobodys_without_an_address(self, book, programme):
        english = join(book, name="Mei", email="mei@example.com")
        chinese = join(book, name="Lan", email="lan@example.com")
        unwritten = join(book, name="Bo", phone="138 0013 8000")
        unwilling = join(book, name="An", email="an@example.com")
        with tenancy.within(book.pk):
            Customer.objects.filter(pk=english.customer_id).update(preferred_locales=["fr", "en-GB"])
            Customer.objects.filter(pk=chinese.customer_id).update(preferred_locales=["zh-CN"])
        messaging.suppress(channel=EMAIL, address="an@example.com", reason="bounced", now=NOW)
        for member in (english, chinese, unwritten, unwilling):
            give(programme, member, 1_200)
        # Later on the same day, and a day later.
        give(programme, english, 30, after=timedelta(hours=5))
        give(programme, english, 4, after=DAY)
        told = []
        for day in (25, 25, 26, 27):
            move_clock(book, NOW + day * DAY)
            runs.work(at=NOW)
            told.append(len(letters()))

        assert told == [3, 3, 4, 4]
        assert letters() == [
            ("mei@example.com", "en", "queued", "[Test] 1,230 points at Café Moka expire soon"),
            ("lan@example.com", "zh-hans", "queued", "[测试] 您在Café Moka有 1,200 积分即将到期"),
            ("an@example.com", "zh-hans", "suppressed", "[测试] 您在Café Moka有 1,200 积分即将到期"),
            ("mei@example.com", "en", "queued", "[Test] 4 points at Café Moka expire soon"),
        ]
        body = bodies.unseal(Message.objects.order_by("pk").first().body)
        last = (NOW + 30 * DAY).astimezone(book.merchant.zone).date()
        assert f"{last}: 1,230 of {programme.name}" in body
        assert "It is no advertising" in body

    def test_finds_the_address_of_who_was_merged_and_writes_to_nobody_who_left(self, book, programme):
        winner, loser = join(book, name="Mei"), join(book, name="Mei", email="old@example.com")
        gone = join(book, name="Lan", email="lan@example.com")
        for member in (winner, gone):
            give(programme, member, 10)
        with tenancy.within(book.pk):
            merging.merge(loser_id=loser.pk, winner_id=winner.pk, hand=hand_of(book))
            directory.leave(member_id=gone.pk, now=NOW, origin=origin_of(book))
        move_clock(book, NOW + 25 * DAY)

        runs.work(at=NOW)

        assert [address for address, *_ in letters()] == ["old@example.com"]

    def test_asks_as_much_for_many_as_for_few(self, book, programme):
        for number in range(5):
            give(programme, join(book, name=f"N{number}", email=f"n{number}@example.com"), 10 + number)
        move_clock(book, NOW + 25 * DAY)

        counts = scheme.asked_by_batches(programme, Run.NOTICE)

        assert counts[0] == counts[1]
        assert len(letters()) == 5


def test_the_wallet_shows_what_expires_soon(book, payer, make_customer, programme):
    member = scheme.join(make_customer(book, consumer=payer.wallet.consumer))
    give(programme, member, 120)
    client = sign_in(User.objects.get(email=payer.email), factor=None)
    page = f"points/{ids.show('prog', programme.pk)}"
    before = read(client, page)

    move_clock(book, NOW + 25 * DAY)

    assert "Expires soon" not in before
    last = (NOW + 30 * DAY).astimezone(book.merchant.zone).date()
    assert f"Expires soon Use by {last} 120" in read(client, page)
