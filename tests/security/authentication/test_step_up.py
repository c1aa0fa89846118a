"""A proof counts for one act, in one browser, for five minutes, once."""

from datetime import timedelta

import pytest

from security.authentication import step_up
from security.authentication.models import StepUp
from security.authentication.step_up import Binding
from tests.cast import NOW, race
from tests.staff import make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

REFUND = Binding(object_id="pi_1", amount_minor=1_200, currency="cny", payee="Lin", what="Refund ¥12.00")
ACTION = "payment.refund"
BROWSER = "a-session-key"


@pytest.fixture
def user(merchant):
    return make_staff(merchant).user


@pytest.fixture
def demanded(user, book):
    return step_up.demand(
        user=user,
        session_key=BROWSER,
        action=ACTION,
        book_id=book.pk,
        binding=REFUND,
        return_to="/dashboard/cafe/payments/pi_1/refund?amount=1200",
        now=NOW,
    )


@pytest.fixture
def act(user, book):
    def make(binding=REFUND, *, action=ACTION, session_key=BROWSER, now=NOW, book_id=book.pk):
        digest = step_up.digest_of(action=action, book_id=book_id, binding=binding)
        return {"user": user, "session_key": session_key, "digest": digest, "now": now}

    return make


class TestProve:
    def test_lets_the_act_through_once(self, demanded, act):
        assert not step_up.is_proved(**act())

        step_up.prove(demanded=demanded, factor="totp", now=NOW)

        assert step_up.is_proved(**act())
        assert [step_up.spend(**act()), step_up.spend(**act()), step_up.is_proved(**act())] == [True, False, False]

    def test_is_used_by_one_of_two_who_send_the_form_at_once(self, demanded, act):
        step_up.prove(demanded=demanded, factor="totp", now=NOW)

        assert sorted(race(*[lambda: step_up.spend(**act())] * 4)) == [False, False, False, True]

    def test_counts_for_no_other_act(self, demanded, act, other_book):
        step_up.prove(demanded=demanded, factor="totp", now=NOW)

        others = [
            act(Binding(**{**_facts(REFUND), "amount_minor": 1_201})),
            act(Binding(**{**_facts(REFUND), "payee": "Li"})),
            act(Binding(**{**_facts(REFUND), "object_id": "pi_2"})),
            act(Binding(**{**_facts(REFUND), "currency": "usd"})),
            act(action="key.reveal"),
            act(book_id=other_book.pk),
            act(session_key="another-browser"),
        ]
        assert [step_up.spend(**other) for other in others] == [False] * 7
        assert step_up.spend(**act())

    def test_is_forgotten_after_five_minutes(self, demanded, act):
        step_up.prove(demanded=demanded, factor="totp", now=NOW)

        assert step_up.is_proved(**act(now=NOW + timedelta(minutes=4, seconds=59)))
        assert not step_up.is_proved(**act(now=NOW + timedelta(minutes=5)))

    def test_refuses_a_second_answer_and_a_late_one(self, demanded):
        with pytest.raises(step_up.AlreadyProved):
            step_up.prove(demanded=demanded, factor="totp", now=NOW + timedelta(minutes=5))

        step_up.prove(demanded=demanded, factor="totp", now=NOW)

        with pytest.raises(step_up.AlreadyProved):
            step_up.prove(demanded=demanded, factor="totp", now=NOW)


class TestOpenDemand:
    def test_is_found_by_who_was_asked_in_that_browser(self, demanded, user, merchant):
        other = make_staff(merchant, "manager").user

        assert step_up.open_demand(identifier=demanded.pk, user=user, session_key=BROWSER, now=NOW) == demanded
        for who, browser in ((other, BROWSER), (user, "another")):
            with pytest.raises(StepUp.DoesNotExist):
                step_up.open_demand(identifier=demanded.pk, user=who, session_key=browser, now=NOW)


class TestChallenge:
    def test_is_another_for_every_demand(self, demanded, user, book):
        again = step_up.demand(
            user=user, session_key=BROWSER, action=ACTION, book_id=book.pk, binding=REFUND, return_to="/", now=NOW
        )

        assert len(step_up.challenge(demanded)) == 32
        assert step_up.challenge(demanded) != step_up.challenge(again)


@pytest.mark.django_db(transaction=True, databases=["default", "platform"])
class TestPurge:
    def test_forgets_what_ended_a_day_ago(self, demanded):
        assert step_up.purge(now=NOW + timedelta(days=1, minutes=5)) == 0
        assert step_up.purge(now=NOW + timedelta(days=1, minutes=6)) == 1


def _facts(binding):
    return {name: getattr(binding, name) for name in binding.__slots__}
