"""Every door × everybody who may come: the exact answer, and a refusal leaves the database as it was.

Doors are read from the resolver, who may come in from what the door says itself and from
security/access/roles.py; the rest is one table (table.py). Objects in addresses are those of a
small world, so that a door is refused or opened in front of something that is there; another
merchant and the other mode look for the very same objects.

What pages say is read elsewhere (tests/browser): here templates render to nothing.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.template.backends.django import Template
from django.test import Client

from security.access import roles
from security.identity.models import User
from security.merchants.models import TEST
from tests.security.access import table
from tests.security.access.doors import Door, doors
from tests.security.access.objects import Objects, is_of_a_book, model_of
from tests.security.access.stillness import Stillness, taken_back
from tests.staff import ROLES, make_staff, sign_in, signed_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A44"),
    pytest.mark.requirement("B24"),
]

METHODS = ("GET", "POST")
OWNER = "owner"
FORGER = "the owner's browser, sent by another site"
HALF_IN = "the owner, by password alone"
SIGNED_OUT = "signed out"
# Those who have no place at the merchant: there is nothing for them.
OUTSIDERS = ("an operator", "a consumer", "another merchant's owner")
TO_SIGN_IN, TO_SECOND_FACTOR = "302 /accounts/login/", "302 /accounts/enrol/"
# Of the wallet: its front for who is signed out, the change of sides for who is at work.
TO_FRONT, TO_TEST_FRONT, TO_OTHER_SIDE = "302 /wallet/front", "302 /wallet/test/front", "302 /accounts/side/"
LEADS = (TO_SIGN_IN, TO_SECOND_FACTOR, TO_FRONT, TO_TEST_FRONT, TO_OTHER_SIDE)
# What a refusal is, as `answer` says it.
REFUSALS = frozenset({"401", "403", "404", *LEADS})


@pytest.fixture(autouse=True)
def quiet(caplog, monkeypatch) -> None:
    """Doors that stay closed are what is tried here, not news; what is on them is not read."""
    caplog.set_level(logging.CRITICAL, logger="django")
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")
    cache.clear()


@pytest.fixture
def people(world, other_merchant) -> dict[str, Client]:
    """Everybody who may come, each with a browser."""
    owner = world.staff[OWNER].user
    forger = sign_in(owner)
    forger.handler.enforce_csrf_checks = True
    outsiders = (
        sign_in(User.objects.create_user("operator@example.com", is_operator=True)),
        sign_in(User.objects.create_user("lin@example.com"), factor=None),
        signed_in(make_staff(other_merchant)),
    )
    browsers = {
        **{role: signed_in(world.staff[role]) for role in ROLES},
        **dict(zip(OUTSIDERS, outsiders, strict=True)),
        SIGNED_OUT: Client(),
        HALF_IN: sign_in(owner, factor=None),
    }
    for browser in browsers.values():
        # The same server: each would load all middleware anew.
        browser.handler = browsers[SIGNED_OUT].handler
    return {**browsers, FORGER: forger}


@dataclass
class Trial:
    """Tries doors one after the other, and notes every answer that is not the table's."""

    still: Stillness = field(default_factory=Stillness)
    wrong: list[Any] = field(default_factory=list)
    count: int = 0

    def ask(self, who: str, client: Client, method: str, url: str, sent: dict[str, str]) -> str:
        """What somebody is told. Whatever the door did for who may come in is taken back; for others it did nothing."""
        self.count += 1
        session = client.cookies.get(settings.SESSION_COOKIE_NAME)

        def act() -> Any:
            return client.get(url, sent) if method == "GET" else client.post(url, sent)

        reply, has_written = taken_back(act)
        if session is not None:
            # Taken back like the rest: who was signed out is signed in.
            client.cookies[settings.SESSION_COOKIE_NAME] = session.value
        got = answer(reply)
        if got in REFUSALS and has_written:
            got = answer(act())
        if got in REFUSALS and not self.still.is_kept():
            self.wrong.append((method, url, who, f"told {got}, and yet there were changes in {self.still.changed()}"))
            self.still = Stillness()
        return got

    def expect(self, expected: str, got: str, *where: str) -> None:
        if got != expected:
            self.wrong.append((*where, f"told {got}, the table says {expected}"))

    def end(self) -> None:
        """All that was wrong, at once: one line each."""
        assert not self.wrong, "\n".join(str(each) for each in self.wrong)


def answer(reply: Any) -> str:
    """An answer in a few letters: its status, and where to where that says more."""
    to = reply.headers.get("Location", "")
    for known in LEADS:
        # With the way back: who signs out, or leaves, is led there too, and without one.
        if reply.status_code == 302 and to.startswith(known.partition(" ")[2] + "?next="):
            return known
    return str(reply.status_code)


def expected(door: Door, method: str, who: str) -> str | None:
    """What a page of the dashboard tells somebody; None where it lets them in."""
    if who == SIGNED_OUT:
        return TO_SIGN_IN
    if who == HALF_IN:
        return TO_SECOND_FACTOR
    if who == FORGER:
        return "403" if method == "POST" else None
    if who in OUTSIDERS:
        return "404"
    actions = (door.action, table.POST_ASKS.get(door.name) if method == "POST" else None)
    if not all(action is None or roles.may(who, action) for action in actions):
        return "403"
    return str(table.OWN_ALONE[door.name]) if who != OWNER and door.name in table.OWN_ALONE else None


def desk_doors() -> list[Door]:
    return [door for door in doors() if door.is_of_desk and door.defaults["mode"] == TEST]


class TestDesk:
    def test_answers_everybody_as_the_table_of_actions_says(self, people, book, tried):
        objects, trial, pages = Objects(book), Trial(), desk_doors()
        for door in pages:
            url, sent = door.url(merchant="cafe", **objects.parts(door)), objects.form(door)
            for method in METHODS:
                told = trial.ask(OWNER, people[OWNER], method, url, sent)
                if told in REFUSALS or told[0] == "5":
                    more = "" if told != "404" else ": add what it wants to be sent to SENT in table.py"
                    trial.wrong.append((door.name, method, OWNER, f"told {told}{more}"))
                if told == "405":
                    # There is no such door, whoever comes.
                    trial.expect("405", trial.ask(SIGNED_OUT, people[SIGNED_OUT], method, url, sent), door.name, method)
                    continue
                for who, client in people.items():
                    if who == OWNER or (who == FORGER and method == "GET"):
                        continue
                    said, got = expected(door, method, who), trial.ask(who, client, method, url, sent)
                    if said is not None:
                        trial.expect(said, got, door.name, method, who)
                    elif got in REFUSALS or got[0] == "5":
                        trial.wrong.append((door.name, method, who, f"told {got}, the table lets them in"))

        tried(doors=len(pages), methods=2, people=len(people), requests=trial.count)
        trial.end()

    def test_finds_no_object_of_another_merchant_or_of_the_other_mode(self, people, book, tried):
        """What is there for the café's owner in test mode is at no other desk: each looks for it at their own."""
        objects, trial = Objects(book), Trial()
        pages = [door for door in desk_doors() if set(door.parts) - set(table.WORDS)]
        for door in pages:
            parts, sent = objects.parts(door), objects.form(door)
            test = door.url(merchant="bakery", **parts)
            live = door.url(merchant="cafe", **parts).replace("/cafe/test/", "/cafe/")
            lookers: list[tuple[str, str]] = [(OUTSIDERS[2], test)]
            if any(is_of_a_book(model_of(part)) for part in door.parts if part not in table.WORDS):
                lookers.append((OWNER, live))
            for who, url in lookers:
                for method in METHODS:
                    got = trial.ask(who, people[who], method, url, sent)
                    trial.expect("405" if got == "405" else "404", got, door.name, method, who, url)

        tried(doors=len(pages), desks=2, requests=trial.count)
        trial.end()


class TestOtherDoors:
    """What is no page of the dashboard: sign-in, /admin/, checkout and receipts, inbound notices, documents."""

    def test_stand_in_the_table(self):
        missing = [door.route for door in doors() if not door.is_of_desk and kind_of(door) is None]

        assert missing == [], "Doors without a line: add them to OTHERS in tests/security/access/table.py."

    def test_of_the_table_are_there(self):
        assert set(table.OTHERS) - {door.route for door in doors()} == set()

    def test_answer_everybody_as_the_table_says(self, people, tried):
        trial = Trial()
        others = [door for door in doors() if kind_of(door) not in (None, table.API, table.SIDES)]
        for door in others:
            kind, url = kind_of(door), door.url(**{**dict.fromkeys(door.parts, "7"), **table.TOKEN})
            for method in METHODS:
                told = {who: trial.ask(who, people[who], method, url, {}) for who in WHO[kind]}
                for who, got in told.items():
                    if got not in allowed(kind, who, told):
                        trial.wrong.append((kind, method, url, who, f"told {got}"))
            forged = trial.ask(FORGER, people[FORGER], "POST", url, {})
            if forged not in ("403", "405", TO_SIGN_IN) and door.name not in table.SIGNED_OTHERWISE:
                trial.wrong.append((kind, "POST", url, FORGER, f"told {forged}"))

        tried(doors=len(others), methods=2, requests=trial.count)
        trial.end()


OPERATOR, CONSUMER, _ = OUTSIDERS
ANYBODY = (SIGNED_OUT, CONSUMER, OWNER, OPERATOR, HALF_IN)
WHO: dict[str | None, tuple[str, ...]] = {
    table.OPEN: ANYBODY,
    table.SECRET: ANYBODY,
    table.STRONG_SECRET: ANYBODY,
    table.STEP: ANYBODY,
    table.OWN: ANYBODY,
    table.WALLET: ANYBODY,
    # What operators see there, tests/security/web/test_admin.py says.
    table.OPERATORS: (SIGNED_OUT, CONSUMER, OWNER, HALF_IN),
}


def kind_of(door: Door) -> str | None:
    """What the table says of a door, or the door itself."""
    if hasattr(door.view, "operator_action"):
        return table.OPERATORS
    if hasattr(door.view, "is_wallet_page"):
        return table.WALLET
    by_prefix = (kind for prefix, kind in table.PREFIXES.items() if door.route.startswith(prefix))
    return next(by_prefix, table.OTHERS.get(door.route))


def allowed(kind: str | None, who: str, told: dict[str, str]) -> set[str]:
    """The answers that somebody may get, `told` being what all of them got."""
    if kind == table.STRONG_SECRET and who == HALF_IN:
        return {TO_SECOND_FACTOR}
    if kind in (table.SECRET, table.STRONG_SECRET):
        # A guess finds nothing, in the same words for everybody.
        return {"404", "405", "410"} & {told[SIGNED_OUT]}
    if kind == table.OPEN:
        return {"200", "302", "404", "405"} & {told[SIGNED_OUT]}
    if kind == table.WALLET:
        # This consumer has no wallet yet, and is led to where one is opened.
        out = {TO_FRONT, TO_TEST_FRONT} if who == SIGNED_OUT else {TO_OTHER_SIDE}
        return {"405", *({"302"} if who == CONSUMER else out)}
    if kind == table.STEP:
        return {"200", "302", "405"}
    if kind == table.OPERATORS:
        refusals = {"302", TO_SECOND_FACTOR if who == HALF_IN else TO_SIGN_IN, "403", "404", "405"}
        return {"200", "302", "400", "405", "403", "404"} if who == OPERATOR else refusals
    if who == SIGNED_OUT:
        return {TO_SIGN_IN, "405"}
    return {"200", "302", TO_SECOND_FACTOR, TO_OTHER_SIDE, "403", "404", "405", "410"}
