import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import clock, ids
from payments.intents import provider_road
from payments.story import timeline
from payments.webhooks import fan_out
from tests.cast import origin_of, shown
from tests.payments.card_acts import answer_challenge, by_number, paid
from tests.payments.card_acts import pay as pay_by_card
from tests.payments.web.dashboard.sales import BASE, pay, sell, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def method(customer, wallet_method):
    return wallet_method(customer, 100_000)


def page_of(client, payment):
    reply = client.get(f"{BASE}/payments/{payment['id']}")
    assert reply.status_code == 200, reply.content
    return reply


class TestShow:
    def test_says_why_the_fee_is_what_it_is(self, owner, api, method):
        body = text_of(page_of(owner, sell(api, method)))

        # 0.38 % of 140.00 is 0.532.
        assert "The standard plan takes 0.38% of a payment by Wallet." in body
        assert "0.38% of CN¥140.00 is 0.532." in body
        assert "It was rounded down to the nearest payable amount." in body
        assert "Worked out again by the plan stored with the payment: the same." in body

    def test_sums_up_what_the_merchant_keeps(self, owner, api, method):
        sold = sell(api, method)
        api.post("refunds", {"payment_intent": sold["id"], "amount": 7_000})

        fee = page_of(owner, sold).context["fee"]

        assert (fee.captured_minor, fee.fee_minor, fee.refunded_minor, fee.returned_minor, fee.net_minor) == (
            14_000, 53, 7_000, 26, 6_973,
        )  # fmt: skip

    def test_shows_both_sides_of_each_entry(self, owner, api, method):
        sold = sell(api, method)
        api.post("refunds", {"payment_intent": sold["id"], "amount": 7_000})

        capture, refund = page_of(owner, sold).context["postings"]

        assert [tuple(str(value) for value in side.values()) for side in capture["sides"]] == [
            ("The customer's wallet", "14000"), ("Your balance", "14000"), ("Your balance", "53"),
            ("The platform's fees", "53"),
        ]  # fmt: skip
        assert (capture["total_minor"], refund["total_minor"]) == (14_053, 7_026)

    def test_tells_a_card_payment_in_order(self, owner, api, book, acquirer):
        asked = pay_by_card(api, None, 10_000, **by_number("4000002760003184")).json
        answer_challenge(asked)
        api.get(f"payment_intents/{asked['id']}")

        provider_road.look(
            intent_id=ids.parse("pi", asked["id"]), book_id=book.pk, mode="test", now=book.now, origin=origin_of(book)
        )
        api.post("refunds", {"payment_intent": asked["id"], "amount": 500, "reason": "duplicate"})

        titles = [moment["title"] for moment in page_of(owner, asked).context["moments"]][::-1]

        assert titles == [
            "Payment of CN¥100.00 created",
            "Tried with Visa •••• 3184",
            "The bank asked the customer to confirm the payment",
            "CN¥100.00 taken",
            "Refund of CN¥5.00 asked for",
            "Refund of CN¥5.00 sent to the customer",
        ]

    def test_says_why_it_was_refused(self, owner, api, acquirer):
        refused = pay_by_card(api, "pm_card_chargeDeclinedInsufficientFunds").json["error"]["payment_intent"]

        reply = page_of(owner, refused)

        assert reply.context["decline"] == "There was not enough money."
        newest = reply.context["moments"][0]
        assert (newest["title"], newest["note"]) == ("Refused", "There was not enough money.")

    def test_explains_and_replays_a_decision(self, owner, api, customer, wallet_method):
        poor = wallet_method(customer, 10)
        terms = {"currency": "cny", "payment_method": shown("pm", poor), "customer": shown("cus", customer)}
        refused = api.post("payment_intents", {"amount": 500, "confirm": True, **terms}).json["error"]["payment_intent"]

        [why] = page_of(owner, refused).context["decisions"]

        assert (str(why["title"]), str(why["word"]), why["reasons"], why["replays"]) == (
            "May the wallet pay this?", "Declined", ["The wallet did not hold enough. Nothing was charged."], True,
        )  # fmt: skip

    def test_shows_each_event_with_whom_it_was_sent_to(self, owner, api, method):
        api.post("webhook_endpoints", {"url": "https://example.com/hooks", "enabled_events": ["*"]})
        fan_out.run_once(now=clock.wall())
        sold = sell(api, method)
        fan_out.run_once(now=clock.wall())

        reply = page_of(owner, sold)

        told = {event["type"]: [each["to"] for each in event["deliveries"]] for event in reply.context["events"]}
        assert told == {
            "payment_intent.created": ["https://example.com/hooks"],
            "charge.succeeded": ["https://example.com/hooks"],
            "payment_intent.succeeded": ["https://example.com/hooks"],
        }
        assert "charge.succeeded told to webhooks" in [moment["title"] for moment in reply.context["moments"]]

    def test_gives_away_no_secret(self, owner, api, method):
        sold = sell(api, method)

        assert sold["client_secret"] not in text_of(page_of(owner, sold))

    def test_costs_so_many_statements_whatever_happened(self, owner, api, method):
        def statements(payment) -> int:
            with CaptureQueriesContext(connections["default"]) as captured:
                page_of(owner, payment)
            return len(captured)

        plain, busy = pay(api, method), sell(api, method)
        for _ in range(6):
            api.post("refunds", {"payment_intent": busy["id"], "amount": 100})

        assert (
            statements(busy) == statements(plain) + 1
        )  # the transfers' or the refunds' lines, that a plain one has not
        assert statements(busy) <= 26

    @pytest.mark.parametrize("role", ROLES)
    def test_offers_what_the_role_may(self, role, api, method, merchant, acquirer):
        sold, held = sell(api, method), paid(api, capture_method="manual")
        client = signed_in(make_staff(merchant, role))

        on_sold, on_held = page_of(client, sold).context, page_of(client, held).context

        assert on_sold["may_refund"] is (role in ("owner", "manager", "support", "finance"))
        assert on_held["may_capture"] is (role in ("owner", "manager", "cashier", "finance"))
        assert on_held["may_cancel"] is (role in ("owner", "manager", "cashier", "support"))
        assert ("lin.mei@example.com" in text_of(page_of(client, sold))) is False
        assert ("Lin Mei" in text_of(page_of(client, sold))) is (role not in ("analyst", "finance"))

    def test_is_not_there_for_a_stranger_or_in_the_other_mode(self, owner, api, method, other_merchant):
        sold = sell(api, method)
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert stranger.get(f"{BASE}/payments/{sold['id']}").status_code == 404
        assert stranger.get(f"/dashboard/bakery/test/payments/{sold['id']}").status_code == 404
        assert owner.get(f"/dashboard/cafe/payments/{sold['id']}").status_code == 404

    @pytest.mark.parametrize(
        "named", ["pi_1", "ch_0000000000000000000000", "pi_0000000000000000000000", "%00", "pi_\u00e9"]
    )
    def test_is_not_there_under_a_wrong_id(self, named, owner):
        assert owner.get(f"{BASE}/payments/{named}").status_code == 404

    def test_takes_no_post(self, owner, api, method):
        assert owner.post(f"{BASE}/payments/{pay(api, method)['id']}").status_code == 405


class TestRanks:
    def test_place_every_kind_of_moment_once(self):
        assert len(set(timeline._RANKS)) == len(timeline._RANKS)
