"""A small believable world for the pages of staff: a bit of everything that a merchant's first week leaves behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections

from analytics.reports import operations as asking
from analytics.reports import schedules
from members.directory import codes as joining
from members.directory import merging
from members.importing import operations as importing
from members.loyalty import operations as loyalty
from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.request_log import buffer
from payments.customers.models import Customer, PaymentMethod
from payments.hand import Hand
from payments.intents import second_person
from payments.intents.models import Attempt
from security.audit.operations import Actor
from security.merchants import operations as merchants
from security.merchants.models import Book, Merchant, Staff
from tests.cast import NOW, Api, shown
from tests.members.loyalty import scheme
from tests.members.offers import book as offers
from tests.members.people import hand_of, join
from tests.payments import acts, card_acts
from tests.payments.webhooks.post import Post
from tests.payments.webhooks.receiver import Receiver
from tests.staff import ROLES, make_staff


@dataclass(frozen=True)
class SmallWorld:
    merchant: Merchant
    staff: dict[str, Staff]


@pytest.fixture
def small_world(
    api: Api,
    book: Book,
    merchant: Merchant,
    make_customer: Callable[..., Customer],
    wallet_method: Callable[..., PaymentMethod],
    acquirer: Any,
    receiver: Receiver,
    post: Post,
) -> Iterator[SmallWorld]:
    """A café with two stores, all seven roles, goods, customers, members, payments of every fate, deliveries."""
    staff = {role: make_staff(merchant, role) for role in ROLES}
    for name in ("West Lake", "Station Road"):
        merchants.open_store(merchant=merchant, name=name, city="Hangzhou", now=NOW)
    made(api.post("webhook_endpoints", {"url": receiver.url("/ok"), "enabled_events": ["*"]}))
    made(api.post("webhook_endpoints", {"url": receiver.url("/fails"), "enabled_events": ["refund.created"]}))
    product = made(api.post("products", {"name": "Oat latte", "metadata": {"shelf": "3"}}))
    price = made(api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 2_800}))
    coupon = made(api.post("coupons", {"percent_off": 10, "name": "Ten off"}))
    made(api.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": coupon["id"]}}))
    for number, name in enumerate(("Lin Mei", "Zhou Zimo", "Guan Yue")):
        customer = make_customer(book, name=name, email=f"{number}@example.com", phone=f"+86 138 0000 000{number}")
        method = wallet_method(customer, 100_000)
        lines = [{"price": price["id"], "quantity": 2}, {"description": "Scone", "unit_amount": 1_200}]
        order = made(
            api.post(
                "orders",
                {
                    "currency": "cny",
                    "customer": shown("cus", customer),
                    "reference": f"table-{number}",
                    "line_items": lines,
                },
            )
        )
        paid = made(acts.pay(api, method, order["amount_total"], payment_details={"order_reference": order["id"]}))
        if number:
            made(acts.refund(api, paid, 1_200 * number))
    made(api.post("stored_value_cards", {"currency": "cny", "amount": 30_000, "bonus_amount": 3_000}))
    card_acts.paid(api, amount=9_900, capture_method="manual")
    card_acts.pay(api, "pm_card_chargeDeclined", 4_200)
    card_acts.paid(api, "pm_card_mastercard", 18_600, description="Catering")
    acts.ask_for(api, 3_300)
    for phone in ("+86 138 0013 8000", "+86 139 0013 9000"):
        member = made(
            api.post("members", {"name": "Lin Mei", "phone": phone, "tags": ["regular"], "consents": ["profile"]})
        )
    approval(book, staff["support"])
    made(api.post("reports", {"report_type": "tax", "since": "2026-02-01", "until": "2026-02-28"}))
    programme(api, book, member["id"])
    members(book, staff["owner"])
    reports(book, staff["owner"])
    post.deliver()
    # What was asked is written a moment later: events lead to it.
    buffer.log.flush()
    yield SmallWorld(merchant=merchant, staff=staff)
    connections["default"].close()


def approval(book: Book, asker: Staff) -> None:
    """A large refund that waits for a second person."""
    with tenancy.within(book.pk):
        attempt = Attempt.objects.filter(status="captured").order_by("pk")[0]
        second_person.ask_for_payment(
            attempt=attempt,
            amount_minor=100,
            lines=(),
            reason=None,
            staff_id=asker.pk,
            hand=Hand(actor=Actor.staff(asker.pk), book=book, now=NOW),
        )


def programme(api: Api, book: Book, member: str) -> None:
    """Points of a member: granted, a part held for a reward; and an offer that has not begun."""
    begun = scheme.start(book)
    with tenancy.within(book.pk):
        loyalty.set_budget(programme_id=begun.pk, points=1_000, reference="budget", now=NOW)
    offers.make(book, "Tuesdays", "percent", {"off_ppm": 100_000}, is_active=False)
    made(api.post("points/adjustments", {"member": member, "points": 240, "reason": "Waited long"}))
    reward = made(api.post("rewards", {"name": "Free tea", "points": 40}))
    made(api.post(f"rewards/{reward['id']}/redeem", {"member": member}))


def members(book: Book, owner: Staff) -> None:
    """Codes to join by, two who are one, two who may be, and a sheet that waits for a yes."""
    joining.make_all(book.merchant, book_id=book.pk, now=NOW)
    first, _, third = (join(book, name="Wang Wei", phone="+86 137 0013 7000") for _ in range(3))
    with tenancy.within(book.pk):
        merging.merge(loser_id=third.pk, winner_id=first.pk, hand=hand_of(book))
        sheet = "name,phone\nZhao Li,+86 136 0013 6000\nNobody,12\n"
        importing.plan(sheet, staff_id=owner.pk, hand=hand_of(book, source="import"), at=clock.wall())


def reports(book: Book, owner: Staff) -> None:
    """A report that waits, one that was called off, and a schedule."""
    hand = Hand(actor=Actor.staff(owner.pk), book=book, now=book.now)
    first = last = book.now.date()
    with tenancy.within(book.pk):
        for kind in ("sales", "books"):
            wanted = asking.Wanted(kind, "csv", "en", first, last)
            report = asking.ask(wanted, hand=hand, at=clock.wall(), staff_id=owner.pk)
        asking.cancel(report, hand=hand, at=clock.wall())
        rhythm = schedules.Rhythm("weekly", 8, 1)
        weekly = schedules.WantedSchedule("sales", "pdf", "en", rhythm, [owner.pk])
        schedules.start(weekly, staff_id=owner.pk, hand=hand, at=clock.wall())


def made(reply: Any) -> dict[str, Any]:
    assert reply.status == 200, reply.json
    return reply.json
