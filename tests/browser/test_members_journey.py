"""A stranger joins at the checkout, earns, and pays again with points, a code and a card at once; a part goes back.

Everything is done on pages: the consumer's in Chinese on a phone, the owner's in English.
What wallet, desk and API say of it is the same at every step, to the point and to the cent.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from members import tasks
from members.loyalty import operations as loyalty
from members.offers import queries as offers
from merchant_platform.kernel import ids, tenancy
from payments import proof
from security.authentication import operations as authentication
from security.identity.models import User
from tests.browser.chromium import DESK, PHONE, Window
from tests.cast import Api, origin_of
from tests.contract.server import Wire
from tests.members.loyalty import scheme
from tests.payers import GOOD_CARD, Payer, item, offer
from tests.staff import enter, make_staff

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A17"),
    pytest.mark.requirement("A24"),
    pytest.mark.requirement("A52"),
]
# A point a yuan and 500 for the first order; ten points pay ¥1.00; Silver from ¥500.00 on.
TERMS = {**scheme.TERMS, "rules": [scheme.SPEND, {"kind": "first", "points": 500}], "redeem_points": 10}
TEST_DESK = "/dashboard/cafe/test/"


@dataclass
class People:
    """The consumer's phone, the owner's desk, and the merchant's program."""

    phone: Window
    desk: Window
    api: Api
    server: str
    payer: Payer

    def open_session(self, *lines: dict[str, Any]) -> dict[str, Any]:
        """The merchant sends the consumer to a checkout page, where they sign in."""
        session = offer(self.api, *lines, success_url=f"{self.server}/docs", allow_promotion_codes=True)
        self.phone.page.goto(session["url"])
        self.sign_in("#id_email", "#id_password", ".tile.is-open button[type=submit]")
        self.phone.page.wait_for_selector(".consent")
        return session

    def sign_in(self, *fields: str) -> None:
        login, password, button = fields
        self.phone.page.fill(login, self.payer.email)
        self.phone.page.fill(password, self.payer.password)
        self.phone.page.click(button)

    def assert_paid(self) -> None:
        self.phone.stage("paid")
        self.phone.page.click("[data-stay]")

    def refund(self, button: str, split: list[str], **asked: str) -> None:
        """The owner gives back what is filled in, after reading how it splits."""
        page = self.desk.page
        page.click("main a:has-text('Refund')")
        page.wait_for_selector(".refund-line")
        for name, value in asked.items():
            if name == "by":
                page.check(f"[name=by][value={value}]")
            else:
                page.fill(f".refund-line input, [name={name}]" if name == "line" else f"[name={name}]", value)
        page.click("button:has-text('See what it does')")
        page.wait_for_selector("h1:has-text('Confirm the refund')")
        assert page.locator(".is-sums > div").all_inner_texts() == split
        page.click(f"button:has-text('{button}')")
        page.wait_for_selector("#refunds-title")

    def assert_told(self, book: Any, member: str, *, lines: list[tuple[int, int]], missing: str) -> None:
        """Wallet, desk and API tell these entries (to spend, waiting), newest first, and what Silver is short of."""
        scheme.catch_up(book)
        available, pending = (sum(column) for column in zip(*lines, strict=True))
        self.phone.page.goto(f"{self.server}/wallet/test/cards")
        self.phone.page.click(".wallet-card-points h3 a")
        self.phone.page.wait_for_selector("#statement-title")
        phone = self.phone.page
        assert self.phone.text(".wallet-balance-sum") == str(available)
        waiting = phone.locator("[aria-labelledby=pending-title] .wallet-row-sum").all_inner_texts()
        assert sum(map(int, waiting)) == pending
        sums = phone.locator("[aria-labelledby=statement-title] .wallet-row-sum").all_inner_texts()
        assert [int(each) for each in sums] == [points or waits for points, waits in lines]
        assert f"距 Silver 还差 ¥{missing}" in self.phone.text()

        desk = self.desk.page
        desk.goto(f"{self.server}{TEST_DESK}members/{member}")
        assert f"To spend {available} Pending {pending}" in self.desk.text()
        assert f"Missing for Silver CN¥{missing}" in self.desk.text()
        desk.click(".panel-head a:has-text('Points')")
        desk.wait_for_selector("h2:has-text('Statement')")
        table = [row.split("\t")[-3:-1] for row in desk.locator("main tbody tr").all_inner_texts()]
        assert [(int(points), int(waits)) for points, waits in table] == lines

        held = self.api.get(f"points/balance?member={member}").json
        told = self.api.get(f"points/transactions?member={member}").json["data"]
        standing = self.api.get(f"tiers/standing?member={member}").json
        assert (held["available"], held["pending"], held["debt"]) == (available, pending, 0)
        assert [(each["points"], each["pending"]) for each in told] == lines
        assert standing["missing"] == int(missing.replace(".", ""))


@pytest.fixture
def people(open_window, server, key, merchant, payer, acquirer):
    user = User.objects.get(email=payer.email)
    user.name = "Lin Mei"
    user.save(update_fields=["name"])
    authentication.vouch_for_email(users=[user])
    return People(open_window(**PHONE), open_window(**DESK), Wire(key, address=server), server, payer)


def test_a_stranger_becomes_a_member_and_everybody_agrees(people, server, merchant, book):
    api, phone, desk = people.api, people.phone, people.desk
    with tenancy.within(book.pk):
        around = {"mode": book.mode, "now": book.now, "origin": origin_of(book)}
        loyalty.start(name="Moka Beans", currency="CNY", given=TERMS, **around)
    coupon = api.post("coupons", {"percent_off": 10, "name": "Autumn"}).json
    code = api.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": coupon["id"]}, "code": "QIU"}).json

    # A stranger pays ¥186.00 from the wallet, and joins.
    people.open_session(item(quantity=2), item("Delivery", 1_000))
    phone.page.check("[name=join]")
    phone.page.click('form[action$="/wallet"] button')
    people.assert_paid()
    (member,) = api.get("members").json["data"]
    assert f"您已成为会员，会员号 {member['number'][:4]}" in phone.text()
    assert member["name"] == "Lin Mei"
    phone.assert_good()
    phone.page.click(".result-welcome a")
    phone.page.click("main form button")
    people.sign_in("[name=login]", "[name=password]", "main button[type=submit] >> nth=0")
    phone.page.wait_for_url("**/wallet/test/cards")
    enter(desk.page, server, make_staff(merchant, "owner"), f"{TEST_DESK}members")
    earned = [(0, 686)]
    people.assert_told(book, member["id"], lines=earned, missing="314.00")

    # The time to return it is over.
    desk.page.goto(f"{server}{TEST_DESK}developers/test-clock")
    desk.page.click("button:has-text('7 days')")
    desk.page.wait_for_selector("text=2026-03-09")
    tasks.move_points()
    matured = [(686, -686), *earned]
    people.assert_told(book, member["id"], lines=matured, missing="314.00")

    # Two mugs for ¥200.00: ¥20.00 off by a code, ¥60.00 in points, ¥120.00 by card.
    session = people.open_session(item("Mug", 10_000, quantity=2))
    phone.page.fill(".tender >> nth=0 >> [name=amount]", "60")
    phone.page.click(".tender >> nth=0 >> button")
    phone.page.wait_for_selector(".tender.is-used")
    phone.page.click(".offers summary")
    phone.page.fill("[name=code]", "qiu")
    phone.page.click(".offers form button")
    phone.page.wait_for_selector(".offer.is-had")
    phone.page.click('a[href$="method=card"]')
    assert "合计 ¥180.00 Moka Beans − 减 ¥60.00 还需支付 ¥120.00" in phone.text()
    phone.assert_good()
    phone.page.type("#id_number", GOOD_CARD)
    phone.page.type("#id_expiry", "1234")
    phone.page.fill("#id_cvc", "123")
    phone.page.fill("#id_name", "Lin Mei")
    phone.page.click(".tile.is-open button[type=submit]")
    people.assert_paid()
    assert "合计 ¥180.00 Moka Beans ¥60.00 银行卡 ¥120.00" in phone.text()
    order = session["order"]
    spent = [(0, 120), (-600, 0), *matured]
    people.assert_told(book, member["id"], lines=spent, missing="194.00")

    # One mug comes back, by card alone; then ¥60.00 more: what the card still has, and points.
    desk.page.goto(f"{server}{TEST_DESK}payments")
    desk.page.click(".row-link >> nth=0")
    people.refund(
        "Refund CN¥90.00",
        ["Visa •••• 4242\nCN¥90.00", "The customer gets back\nCN¥90.00", "Left to refund after it\nCN¥90.00"],
        line="1",
    )
    people.assert_told(book, member["id"], lines=[(0, -90), *spent], missing="284.00")
    desk.page.goto(f"{server}{TEST_DESK}orders/{order}")
    people.refund(
        "Refund CN¥60.00",
        [
            "Visa •••• 4242\nCN¥30.00",
            "Moka Beans 300 points\nCN¥30.00",
            "The customer gets back\nCN¥60.00",
            "Left to refund after it\nCN¥30.00",
        ],
        by="amount",
        amount="60",
    )
    people.assert_told(book, member["id"], lines=[(0, -30), (300, 0), (0, -90), *spent], missing="314.00")

    phone.assert_good()
    desk.assert_good()

    # The books say the same: the code stays used, and its share of what came back is told.
    found = api.get(f"orders/{order}").json
    (tender,) = api.get(f"orders/{order}/tenders").json["data"]
    (charge, _) = api.get("charges").json["data"]
    with tenancy.within(book.pk):
        (share,) = offers.shares_of(ids.parse("ord", order))
    assert (found["amount_total"], found["amount_refunded"]) == (18_000, 15_000)
    assert (tender["amount"], tender["amount_refunded"]) == (6_000, 3_000)
    assert (charge["amount"], charge["amount_refunded"]) == (12_000, 12_000)
    assert (share.amount_minor, share.returned_minor) == (2_000, 1_667)
    assert api.get(f"promotion_codes/{code['id']}").json["times_redeemed"] == 1
    assert people.payer.balance == 50_000 - 18_600
    assert proof.prove() == []
