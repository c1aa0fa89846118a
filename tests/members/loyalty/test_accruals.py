"""Orders earn once, after their payment; refunds take back the same share."""

import pytest

from members.loyalty import accruals
from members.loyalty.models import Accrual, Lot
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from tests.cast import NOW, move_clock, origin_of, race, shown
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, catch_up, points
from tests.payments.acts import pay, refund

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def programme(book):
    return scheme.start(book)


@pytest.fixture
def member(customer):
    return scheme.join(customer)


class TestAccrue:
    @pytest.mark.requirement("A24")
    def test_earns_from_the_payments_event_and_waits_for_the_refund_window(
        self, api, book, programme, member, customer, wallet_method
    ):
        paid = pay(api, wallet_method(customer), 12_345)
        at_once = points(member, programme)

        catch_up(book)
        waits = points(member, programme)
        move_clock(book, NOW + 7 * DAY)
        scheme.settle(member, programme)

        assert paid.status == 200
        assert (at_once, waits) == ((0, 0, 0), (0, 123, 0))
        assert points(member, programme) == (123, 0, 0)
        scheme.assert_proved()
