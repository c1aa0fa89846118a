"""The acquirer's books in this process, with a clock of its own: pages of a statement, and what time does."""

from datetime import timedelta

import pytest

from payments.providers import port
from payments.providers.sandbox.acquirer import bank as bank_module
from payments.providers.sandbox.acquirer.bank import CHALLENGE_SECONDS, Bank, Refused
from payments.providers.sandbox.acquirer.store import Store
from tests.cast import race
from tests.payments.providers.sandbox.asking import GOOD, NOW, key, question


class Told(list):
    def __call__(self, account, kind, known):
        self.append((kind, known["key"], known["status"]))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def wall():
    return [1_000_000.0]


@pytest.fixture
def bank(told, wall):
    return Bank(Store(":memory:"), secret="s", tell=told, wall=lambda: wall[0])


def authorise(bank, number=GOOD, now=NOW, **changes):
    asked = {
        "key": key(),
        "account": "a",
        "amount_minor": 100,
        "currency": "CNY",
        "card": {"number": number, "exp_month": 12, "exp_year": 2030, "holder": None},
        "captures": True,
        "is_off_session": False,
        "payee": "Café Moka",
        "return_url": "https://shop.example/",
        "challenge_url": "https://bank.example/",
        "now": now.isoformat(),
        **changes,
    }
    return bank.authorise(asked)


class TestStatement:
    def test_comes_in_pages_with_nothing_lost_between_them(self, bank, monkeypatch):
        monkeypatch.setattr(bank_module, "STATEMENT_LINES_MAX", 2)
        keys = [authorise(bank)["key"] for _ in range(5)]
        day, after, pages = NOW.date().isoformat(), 0, []

        while after is not None:
            page = bank.statement({"account": "a", "day": day, "after": after})
            pages.append([line["key"] for line in page["lines"]])
            after = page["next"]

        assert pages == [keys[:2], keys[2:4], keys[4:]]


class TestTime:
    def test_releases_holds_when_a_later_question_tells_of_it(self, bank, told):
        held = authorise(bank, captures=False)
        partly = authorise(bank, captures=False)
        part = {"key": key(), "account": "a", "reference": partly["reference"], "amount_minor": 30, "is_final": False}
        bank.capture(part)

        authorise(bank, now=NOW + timedelta(days=7))

        assert told == [("payment", held["key"], "voided"), ("payment", partly["key"], "captured")]
        assert bank.query({"account": "a", "key": partly["key"]})["captured_minor"] == 30

    def test_never_goes_back(self, bank):
        authorise(bank, now=NOW + timedelta(days=1))

        held = authorise(bank, captures=False)

        assert held["expires_at"].startswith((NOW + timedelta(days=8)).date().isoformat())

    def test_ends_a_challenge_by_the_worlds_clock(self, bank, wall, told):
        asked = authorise(bank, "4000000000003220", now=NOW)
        token = asked["challenge_url"].rpartition("/")[2]
        wall[0] += CHALLENGE_SECONDS - 1
        assert (bank.do_what_is_due(), bank.read_challenge({"token": token})["last4"]) == (0, "3220")

        wall[0] += 1

        with pytest.raises(Refused, match="time is over"):
            bank.answer_challenge({"token": token, "choice": "approve"})
        assert (bank.do_what_is_due(), bank.do_what_is_due()) == (1, 0)
        assert told == [("payment", asked["key"], "declined")]

    def test_settles_a_refund_when_it_is_due(self, bank, wall, told):
        paid = authorise(bank, "4000000000007726")
        refund = {"key": key("re"), "account": "a", "reference": paid["reference"], "amount_minor": 10}
        bank.refund(refund)
        assert bank.next_due() == wall[0] + bank_module.REFUND_SETTLES_SECONDS

        wall[0] = bank.next_due()
        bank.do_what_is_due()

        assert told == [("refund", refund["key"], "succeeded")]
        assert bank.next_due() is None


class TestRefusals:
    def test_leave_nothing_behind(self, bank):
        paid = authorise(bank)
        where = {"account": "a", "reference": paid["reference"]}

        for ask, code in (
            (lambda: bank.capture({**where, "key": "c", "amount_minor": 1, "is_final": True}), "not_authorized"),
            (lambda: bank.refund({**where, "key": "r", "amount_minor": 0}), "amount_too_large"),
            (lambda: bank.void({**where, "key": "v", "reference": "acq_none"}), "unknown_reference"),
            (lambda: bank.void({**where, "key": "v", "account": "b"}), "unknown_reference"),
        ):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.code == code

        assert bank.query({"account": "a", "key": paid["key"]}) == paid


class TestRace:
    def test_of_one_key_makes_one_payment(self, acquirer):
        sandbox, asked = port.find("sandbox"), question()

        reports = race(*[lambda: sandbox.authorise(asked)] * 6)

        assert len({report.reference for report in reports}) == 1
        assert len(sandbox.statement(account=asked.account, day=NOW.date())) == 1

    def test_of_captures_never_takes_more_than_was_held(self, acquirer):
        sandbox, asked = port.find("sandbox"), question(captures=False)
        held = sandbox.authorise(asked)
        where = {"account": asked.account, "reference": held.reference, "amount_minor": 500, "is_final": False}

        race(*[lambda: sandbox.capture(key=key("cap"), **where)] * 5)

        assert sandbox.query(key=asked.key, account=asked.account).captured_minor == 1_000
