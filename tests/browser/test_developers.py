"""A developer's first hour: an endpoint, a payment, its delivery, sent again, and tried with what may come one day."""

import threading
from contextlib import closing, contextmanager

import pytest
import stripe
from django.db import connections

from merchant_platform.kernel import clock
from merchant_platform.kernel.request_log import buffer
from payments.webhooks.courier import Courier
from tests.browser.chromium import DESK
from tests.cast import shown, wait_until
from tests.payments.webhooks.receiver import Receiver, receiving
from tests.staff import cookies_of, make_staff

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@contextmanager
def delivering():
    """The courier in a thread of its own, as in a process of its own."""
    is_over = threading.Event()

    def deliver() -> None:
        with closing(Courier(places=2)) as courier:
            while not is_over.is_set():
                courier.round(now=clock.wall, wait_seconds=0.05)
                is_over.wait(0.05)
            courier.finish(now=clock.wall)
        connections.close_all()

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def verify(receiver: Receiver, secret: str) -> None:
    """Make the receiver refuse what is not signed with a secret."""

    def answer(request) -> int:
        try:
            stripe.Webhook.construct_event(request.body, request.headers.get("stripe-signature", ""), secret)
        except (ValueError, stripe.SignatureVerificationError):
            return 400
        return 200

    receiver.judge = answer


@pytest.mark.requirement("A60")
def test_a_developers_first_hour(open_window, live_server, settings, merchant, book, api, customer, wallet_method):
    """Makes an endpoint, sees a payment's delivery, sends it again, and tries the endpoint against a local receiver."""
    buffer.log.reset()
    with receiving() as receiver, delivering():
        settings.WEBHOOK_ALLOW_HOSTS = [receiver.authority]
        window = open_window(**DESK)
        page = window.page
        page.context.add_cookies(cookies_of(make_staff(merchant, "developer")))

        # Where the cookies are good.
        address = live_server.url.replace("localhost", "127.0.0.1")
        page.goto(f"{address}/dashboard/cafe/test/developers/webhooks")
        window.assert_good()
        page.get_by_role("link", name="Add an endpoint").click()
        page.get_by_label("Address").fill(receiver.url("/hooks"))
        window.assert_good()
        page.get_by_role("button", name="Add the endpoint").click()
        secret = page.inner_text("#secret")
        assert secret.startswith("whsec_")
        window.assert_good()
        verify(receiver, secret)
        page.get_by_role("link", name="I have kept it").click()

        intent = api.post(
            "payment_intents",
            {
                "amount": 1_200,
                "currency": "cny",
                "payment_method": shown("pm", wallet_method(customer)),
                "confirm": True,
            },
        ).json
        assert intent["status"] == "succeeded"
        wait_until(lambda: sum(intent["id"].encode() in each.body for each in list(receiver.received)) >= 2)

        def row():
            page.reload()
            return page.locator("tr", has_text="payment_intent.succeeded").get_by_text("Arrived").count()

        wait_until(row)
        window.assert_good()
        page.get_by_role("link", name="payment_intent.succeeded").click()
        window.assert_good()
        assert intent["id"] in window.text()
        before = len(receiver.received)
        page.get_by_role("button", name="Send again").click()
        page.get_by_text("It is on its way again.").wait_for()
        wait_until(lambda: len(receiver.received) == before + 1)

        page.get_by_role("main").get_by_role("link", name=receiver.url("/hooks")).click()
        page.get_by_role("link", name="Try it").click()
        window.assert_good()
        page.get_by_role("button", name="Send them").click()
        page.get_by_text("8 of 8 are right").wait_for()
        window.assert_good()

        buffer.log.flush()
        page.get_by_role("link", name="Request log").click()
        page.get_by_role("link", name="POST /v1/payment_intents").click()
        window.assert_good()
        page.get_by_role("link", name="payment_intent.succeeded").click()
        window.assert_good()
        assert intent["id"] in window.text()
        assert "Arrived" in window.text()


@pytest.mark.parametrize("looks", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_the_api_reference_needs_no_program(open_window, live_server, looks):
    """Every page of it, in a browser that runs no program, at the width of a phone."""
    window = open_window(viewport={"width": 360, "height": 740}, locale="zh-CN", **looks)

    for address in (
        "/docs/api",
        "/docs/api?q=refund",
        "/docs/api/payment_intents",
        "/docs/api/webhook_endpoints?in=python",
    ):
        window.page.goto(live_server.url + address)
        window.assert_good()
