"""Cards raced: many at once want the same payment, and one gets it."""

import pytest

from tests.cast import owed_to, race
from tests.payments import books
from tests.payments.card_acts import at_the_acquirer, charges_of, paid, sweep_until_quiet

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.usefixtures("acquirer")]
AT_ONCE = 16


@pytest.fixture
def intent(api):
    return api.post("payment_intents", {"amount": 10_000, "currency": "cny"}).json


def confirm(api, intent, key=None):
    return api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"}, idempotency_key=key)


@pytest.mark.requirement("A40")
class TestConfirm:
    def test_pays_once(self, api, book, intent):
        answers = race(*[lambda: confirm(api, intent) for _ in range(AT_ONCE)])

        assert sorted(answer.status for answer in answers) == [200] + [400] * (AT_ONCE - 1)
        assert (owed_to(book), at_the_acquirer(book)) == (9_940, {"capture": 10_000})
        assert len(charges_of(book)) == 1
        books.assert_agree()

    def test_with_one_key_answers_one_of_two_things(self, api, book, intent):
        answers = race(*[lambda: confirm(api, intent, "once") for _ in range(AT_ONCE)])

        assert {answer.status for answer in answers} <= {200, 409}
        done = [answer.json for answer in answers if answer.status == 200]
        assert done
        assert all(answer == done[0] for answer in done)
        assert confirm(api, intent, "once").json == done[0]
        assert at_the_acquirer(book) == {"capture": 10_000}
        books.assert_agree()

    def test_against_cancel_has_one_winner(self, api, book, intent):
        paid_, canceled = race(lambda: confirm(api, intent), lambda: api.post(f"payment_intents/{intent['id']}/cancel"))

        assert sorted([paid_.status, canceled.status]) == [200, 400]
        found = api.get(f"payment_intents/{intent['id']}").json["status"]
        assert found == ("succeeded" if paid_.status == 200 else "canceled")
        assert owed_to(book) == (9_940 if paid_.status == 200 else 0)
        books.assert_agree()


class TestCapture:
    def test_takes_once(self, api, book):
        held = paid(api, capture_method="manual")

        answers = race(*[lambda: api.post(f"payment_intents/{held['id']}/capture") for _ in range(AT_ONCE)])

        assert [answer.status for answer in answers].count(200) == 1
        assert {answer.status for answer in answers} <= {200, 400, 409}
        assert at_the_acquirer(book) == {"capture": 10_000}
        books.assert_agree()

    def test_against_release_has_one_winner(self, api, book):
        held = paid(api, capture_method="manual")

        taken, released = race(
            lambda: api.post(f"payment_intents/{held['id']}/capture"),
            lambda: api.post(f"payment_intents/{held['id']}/cancel"),
        )
        sweep_until_quiet()

        assert [taken.status, released.status].count(200) == 1
        found = api.get(f"payment_intents/{held['id']}").json["status"]
        assert found == ("succeeded" if taken.status == 200 else "canceled")
        assert at_the_acquirer(book) == ({"capture": 10_000} if taken.status == 200 else {})
        books.assert_agree()
