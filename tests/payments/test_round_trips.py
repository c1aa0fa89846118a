"""How often the database is asked for one payment: BEGIN and COMMIT count, and so does the naming of the book."""

import itertools

import pytest

from tests.cast import Reply, shown
from tests.payers import CHALLENGE_CARD, Visitor, offer
from tests.payments.acts import ask_for, refund
from tests.payments.card_acts import answer_challenge, paid, pay

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A12"),
    pytest.mark.usefixtures("acquirer"),
]


@pytest.fixture
def keys():
    """An idempotency key that was never used."""
    return (f"key {number}" for number in itertools.count()).__next__


@pytest.fixture
def saved(api, customer):
    """A card that a customer of the café saved."""
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
    method = api.post("payment_methods", {"type": "card", "card": card}).json["id"]
    return api.post(f"payment_methods/{method}/attach", {"customer": shown("cus", customer)}).json["id"]


class TestCard:
    """Two transactions with the question to the bank between them.

    The first: BEGIN, the key, the book's data key (or the saved method and its card), what is
    written, COMMIT. The second: BEGIN, the locks, the posting, what is written, COMMIT.
    """

    def test_takes_ten_for_a_new_card(self, api, keys, asked):
        assert len(asked(lambda: pay(api, key=keys(), metadata={"table": "7"}))) == 10

    def test_takes_twelve_for_a_saved_one(self, api, customer, saved, keys, asked):
        terms = {"customer": shown("cus", customer)}

        # Method and card are read, and since a saved method may be a wallet's, the short road is tried first.
        assert len(asked(lambda: pay(api, saved, key=keys(), **terms))) == 12

    def test_takes_ten_for_a_decline(self, api, keys, asked):
        # Nothing is posted; the refused card's method is read for the error that shows it.
        assert len(asked(lambda: pay(api, "pm_card_chargeDeclined", key=keys()), status=402)) == 10

    def test_takes_eleven_for_an_intent_that_waits(self, api, keys, asked):
        intents = [ask_for(api), ask_for(api)]

        def confirm():
            address = f"payment_intents/{intents.pop()['id']}/confirm"
            return api.post(address, {"payment_method": "pm_card_visa"}, idempotency_key=keys())

        assert len(asked(confirm)) == 11

    def test_takes_twelve_to_capture_what_was_held(self, api, keys, asked):
        held = [paid(api, capture_method="manual") for _ in range(2)]

        def capture():
            return api.post(f"payment_intents/{held.pop()['id']}/capture", {}, idempotency_key=keys())

        assert len(asked(capture)) == 12

    def test_takes_thirteen_to_give_back(self, api, keys, asked):
        charges = [paid(api), paid(api)]

        assert len(asked(lambda: refund(api, charges.pop(), key=keys()))) == 13


class TestPage:
    """Found by its code, then one unit of work: BEGIN, the session with its order and intent, the lines, COMMIT.

    Where something is to be chosen three more ask for offers: the products' marks, the offers, what is held.
    """

    def test_takes_eight_and_writes_nothing_once_it_was_opened(self, api, asked):
        visitor = Visitor(offer(api))

        for query in ("", "?method=card"):
            statements = asked(lambda query=query: _get(visitor, query))

            assert len(statements) == 8
            assert not [each for each in statements if "UPDATE" in each]

    def test_takes_five_to_say_that_nothing_moved(self, api, asked):
        visitor = Visitor(offer(api))

        assert len(asked(lambda: _get(visitor, "/stage?stage=choose"), status=204)) == 5

    def test_takes_nineteen_for_a_payer_who_signed_in(self, api, payer, asked):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)

        # Who signed in, their wallet, what is in it; who they are to the merchant, their cards, the wallet as a tender;
        # whether they are a member, for offers, for points and for the invitation.
        assert len(asked(lambda: _get(visitor))) == 19

    def test_takes_six_with_its_receipt(self, api, asked):
        visitor = Visitor(offer(api))
        visitor.pay_by_card()

        statements = asked(lambda: _get(visitor))

        assert len(statements) == 6
        assert not [each for each in statements if "UPDATE" in each]

    def test_takes_thirteen_for_a_payer_who_comes_back_from_the_bank(self, api, asked):
        waiting = []
        for _ in range(2):
            session = offer(api)
            visitor = Visitor(session)
            visitor.pay_by_card(CHALLENGE_CARD)
            intent = api.get(f"checkout/sessions/{session['id']}").json["payment_intent"]
            answer_challenge(api.get(f"payment_intents/{intent}").json)
            waiting.append(visitor)

        # The page, what is under way, what the bank says (posted and written), and that the payer proved who they are.
        assert len(asked(lambda: _get(waiting.pop(), "/return"), status=303)) == 13


def _get(visitor, rest=""):
    """A page as `asked` reads it: its status, and what it says."""
    response = visitor.client.get(visitor.path + rest)
    return Reply(response.status_code, None, response.headers)
