import pytest

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import Conflict, WrongState
from merchant_platform.kernel.states import Moves, advance
from payments.orders import operations as orders
from payments.orders.models import Order
from tests.cast import NOW, origin_of, race

# A life of its own: which moves an order may really make is the order's affair.
OPEN, PAID, CANCELED = "open", "paid", "canceled"
MOVES = Moves({OPEN: [PAID, CANCELED], PAID: [], CANCELED: []})


class TestMoves:
    def test_refuse_a_state_that_the_table_does_not_list(self):
        with pytest.raises(ValueError, match=r"\['lost'\]"):
            Moves({"open": ["lost"]})

    def test_say_what_is_allowed_and_what_is_final(self):
        assert MOVES.states == {OPEN, PAID, CANCELED}
        assert MOVES.allows(OPEN, PAID)
        assert not MOVES.allows(PAID, OPEN)
        assert not MOVES.allows(OPEN, OPEN)
        assert [state for state in sorted(MOVES.states) if MOVES.is_final(state)] == [CANCELED, PAID]

    def test_know_no_other_state(self):
        with pytest.raises(KeyError):
            MOVES.allows("lost", PAID)


@pytest.fixture
def order(book):
    with tenancy.within(book.pk):
        order, _ = orders.create(
            currency="CNY",
            lines=[orders.LineDraft(quantity=1, unit_price_minor=100)],
            now=NOW,
            origin=origin_of(book),
        )
    return order


def stored(order: Order) -> tuple[str, dict]:
    with tenancy.within(order.book_id):
        return Order.objects.values_list("status", "metadata").get(pk=order.pk)


@pytest.mark.django_db(transaction=True)
class TestAdvance:
    def test_writes_the_state_and_what_comes_with_it(self, order):
        with tenancy.within(order.book_id):
            advance(order, to=PAID, moves=MOVES, metadata={"by": "cash"})

        assert (order.status, order.metadata) == (PAID, {"by": "cash"})
        assert stored(order) == (PAID, {"by": "cash"})

    def test_refuses_a_move_that_the_table_does_not_have(self, order):
        order.status = PAID

        with tenancy.within(order.book_id), pytest.raises(WrongState, match="order is paid and cannot become canceled"):
            advance(order, to=CANCELED, moves=MOVES)

        assert order.status == PAID
        assert stored(order) == (OPEN, {})

    def test_tells_that_somebody_was_faster(self, order):
        with tenancy.within(order.book_id):
            advance(Order.objects.get(pk=order.pk), to=CANCELED, moves=MOVES)

            with pytest.raises(Conflict):
                advance(order, to=PAID, moves=MOVES, metadata={"by": "cash"})

        assert (order.status, order.metadata) == (OPEN, {})
        assert stored(order) == (CANCELED, {})

    def test_lets_one_of_two_racers_win(self, order):
        def move(to: str) -> str:
            with tenancy.within(order.book_id):
                mine = Order.objects.get(pk=order.pk)
                mine.status = OPEN
                advance(mine, to=to, moves=MOVES)
            return to

        outcomes = race(lambda: move(PAID), lambda: move(CANCELED))

        won = [outcome for outcome in outcomes if isinstance(outcome, str)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert (len(won), len(lost)) == (1, 1)
        assert stored(order) == (won[0], {})
