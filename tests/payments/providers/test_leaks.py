"""Known card numbers and codes go through everything there is, and are found nowhere afterwards."""

import logging

import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import Client

from merchant_platform.celery import celery_app
from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.events import relay
from payments.providers import port
from payments.providers.notices.models import Notice
from payments.providers.port import Unanswered
from payments.providers.sandbox.acquirer.instruments import INSTRUMENTS
from security.vault import operations as vault
from security.vault.cards import CardUnusable
from tests import leaks
from tests.cast import NOW, wait_until
from tests.payments.providers.sandbox.asking import card, key, question

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"]),
    pytest.mark.requirement("A40"),
]

# Cards that no test below or elsewhere names in a place that is searched.
STRAY = ["4111111111111111", "5105105105105100", "371449635398431"]
SECRETS = leaks.Secrets(numbers=[*INSTRUMENTS, *STRAY], cvcs=["90817263549", "60718293041"])


def send_everything(acquirer, server, book, caplog) -> None:
    """Every card of ours through the vault, the acquirer, its faults, the challenge page, notices and the relay."""
    sandbox = port.find("sandbox")
    acquirer.send_notices_to(f"{server}/hooks/sandbox/")
    for place, number in enumerate(SECRETS.numbers):
        with tenancy.within(book.pk):
            token = vault.keep_card(card=card(number), now=NOW)
            opened = vault.open_card(token_id=token.pk)
        asked = question(account=book.pk.hex, card=opened, cvc=SECRETS.cvcs[place % 2], captures=place % 2 == 0)
        report = sandbox.authorise(asked)
        logging.getLogger("tests").error("a careless line: %s %r %s %r", opened, opened, asked, report)
        if report.challenge_url:
            Client().post(report.challenge_url.partition(settings.PUBLIC_URL)[2], {"choice": "approve"})
        if report.captured_minor:
            sandbox.refund(key=key("re"), account=asked.account, reference=report.reference, amount_minor=1)
        if place % 5 == 0:
            with tenancy.within(book.pk):
                vault.destroy_card(token_id=token.pk)
    for fault in ("error_before_commit", "error_after_commit", "reset_after_commit", "reset_before_commit"):
        asked = question(account=book.pk.hex, cvc=SECRETS.cvcs[0])
        acquirer.fail(fault, key=asked.key)
        with pytest.raises(Unanswered) as unanswered:
            sandbox.authorise(asked)
        logging.getLogger("tests").exception("a careless traceback", exc_info=unanswered.value)
    for bad in ("4242424242424241", "4000000000000003"):
        with pytest.raises(CardUnusable) as unusable, tenancy.within(book.pk):
            vault.keep_card(card=card(bad), now=NOW)
        assert bad not in f"{unusable.value} {unusable.value.__dict__}"
    acquirer.hurry()
    with tenancy.within(book.pk):
        wait_until(lambda: Notice.objects.count() > 5)
    while relay.run_once(now=clock.wall()):
        pass
    celery_app.send_task("payments.prove_the_books", queue="money", kwargs={"book": book.pk.hex})


class TestLeaks:
    def test_are_none(self, acquirer, server, book, caplog, tmp_path_factory, monkeypatch):
        monkeypatch.setattr(logging.getLogger("httpx"), "level", logging.DEBUG)
        with caplog.at_level(logging.DEBUG):
            send_everything(acquirer, server, book, caplog)

        written = {**leaks.everything(tmp_path_factory, acquirer), "this process": caplog.text.encode()}

        assert leaks.found(SECRETS, written) == []
        assert b"a careless line" in written["this process"]
        assert b"security_cardtoken" in written["database"]
        assert b"payments.prove_the_books" in written["valkey"]
        assert any(name.endswith("web.log") for name in written)
        assert any("acquirer.sqlite3" in name and book.pk.hex.encode() in text for name, text in written.items())

    def test_would_be_found(self, acquirer, book, tmp_path_factory):
        """In each place, and in each form: or the silence above would prove nothing."""
        number, cvc = SECRETS.numbers[0], SECRETS.cvcs[0]
        folder = tmp_path_factory.mktemp("careless")
        (folder / "careless.log").write_text(f"paying with {number}")
        with connections["owner"].cursor() as cursor:
            cursor.execute("CREATE TABLE careless AS SELECT convert_to(%s, 'UTF8') AS bytes", [f"x{number}"])
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.rpush("careless", f'{{"code": "{cvc}"}}')
        try:
            written = leaks.everything(tmp_path_factory, acquirer)
        finally:
            (folder / "careless.log").unlink()
            with connections["owner"].cursor() as cursor:
                cursor.execute("DROP TABLE careless")
            with redis.Redis.from_url(settings.REDIS_URL) as client:
                client.delete("careless")

        places = {line.partition(":")[0] for line in leaks.found(SECRETS, written)}

        assert places == {"database", "valkey", str(folder / "careless.log")}

    @pytest.mark.parametrize(
        "text",
        [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "34323432343234323432343234323432",
            "NDI0MjQyNDI0MjQyNDI0Mg==",
            "eDQyNDI0MjQyNDI0MjQyNDI=",
            "eHg0MjQyNDI0MjQyNDI0MjQy",
            '"cvc": "123"',
            "cvc=123",
        ],
    )
    def test_are_found_in_every_form(self, text):
        assert leaks.found(leaks.Secrets(["4242424242424242"], []), {"here": text.encode()}) != []
