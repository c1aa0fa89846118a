"""Online orders of the demo world: real ones, once each, and none where no acquirer answers."""

import pytest

from merchant_platform.demo import online
from merchant_platform.kernel import tenancy
from payments.checkout.models import CheckoutSession
from payments.intents import states
from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.providers.port import Unreachable
from payments.providers.sandbox.control import Control
from security.merchants import operations as merchants
from security.merchants.models import TEST, Book
from tests import acquirer as machines
from tests import cast
from tests.cast import NOW, origin_of
from tests.merchant_platform.test_demo import stocked
from tests.payments import books

# The fixtures that these tests use.
platform, acquirer, acquirer_process = cast.platform, machines.acquirer, machines.acquirer_process

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])


@pytest.fixture
def book(platform):
    """The café's test book with a few things to sell."""
    merchant = merchants.found(
        slug=online.CAFE.slug, name="Café", country="CN", time_zone="Asia/Shanghai", currency="CNY", now=NOW
    )
    book = Book.objects.select_related("merchant").get(merchant=merchant, mode=TEST)
    with tenancy.within(book.pk):
        for goods in online.CAFE.goods[:5]:
            stocked(goods, NOW, origin_of(book))
    return book


class TestPlay:
    def test_pays_refuses_challenges_and_gives_back(self, book, acquirer):
        assert online.play(now=NOW) == len(online.VISITS)

        with tenancy.within(book.pk):
            sessions = list(CheckoutSession.objects.order_by("pk"))
            paid = PaymentIntent.objects.filter(status=states.SUCCEEDED).count()
            brands = {
                card["brand"] for card in Attempt.objects.filter(status="captured").values_list("card", flat=True)
            }
            refunded = sorted(Refund.objects.values_list("status", flat=True))
        assert paid == sum(session.status == "complete" for session in sessions) == 10
        assert brands == {"visa", "mastercard", "unionpay", "amex"}
        assert refunded == ["succeeded"] * 3
        done = [each for each in sessions if each.status == "complete"]
        assert all(each.created_at < each.opened_at < each.method_chosen_at < each.paid_at < NOW for each in done)
        books.assert_agree()

    def test_happens_once(self, book, acquirer):
        online.play(now=NOW)

        with books.unchanged():
            assert online.play(now=NOW) == 0

    def test_is_left_out_without_an_acquirer(self, book, monkeypatch):
        def unreachable(self):
            raise Unreachable

        monkeypatch.setattr(Control, "faults", unreachable)

        with books.unchanged():
            assert online.play(now=NOW) == 0
