"""Backed up here, put back elsewhere: the ledger notices that its transaction ids mean nothing in another cluster.

A second server is started, the database is copied by pg_dump and psql, and Django's
connections are pointed there, as a new DATABASE_URL would.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client

from merchant_platform.embedded import Postgres
from merchant_platform.embedded import postgres as postgres_module
from merchant_platform.kernel.database import provision
from payments import proof
from payments.intents.hot_path import wallets
from payments.ledger import checkpoints
from payments.ledger import operations as ledger
from tests.cast import balance_of, fees_of, owed_to, shown
from tests.payments import books
from tests.payments.ledger.postings import post, sale, total

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A cluster of its own, with our roles and an empty database of the same name."""
    folder = tmp_path_factory.mktemp("elsewhere")
    # As root, Postgres runs as a user of its own, who must pass through.
    folder.parent.chmod(0o711)
    folder.chmod(0o711)
    server = Postgres(folder / "data", durable=False)
    server.start()
    try:
        urls = (settings.OWNER_URL, settings.APP_URL, settings.PLATFORM_URL)
        owner_url, app_url, platform_url = (moved(url, server) for url in urls)
        provision(owner_url=owner_url, app_url=app_url, platform_url=platform_url)
        yield server
    finally:
        server.stop()


def moved(url: str, server: Postgres) -> str:
    """The same role and database on the new server; the owner's password is the new server's own."""
    parts, there = urlsplit(url), urlsplit(server.url())
    address = f"{there.hostname}:{there.port}"
    credentials = there.netloc.rpartition("@")[0]
    if parts.username != there.username:
        credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{credentials}@{address}"))


def copy_to(server: Postgres) -> None:
    """This will do what a person does to move house: pg_dump here, psql there."""
    programs = postgres_module._programs()
    dumped = subprocess.run(
        [programs / "pg_dump", "--no-sync", "--dbname", settings.OWNER_URL], capture_output=True, check=True
    )
    subprocess.run(
        [programs / "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", moved(settings.OWNER_URL, server)],
        input=dumped.stdout,
        capture_output=True,
        check=True,
    )


@contextmanager
def living_at(server: Postgres) -> Iterator[None]:
    """Django's three connections lead to the new server, and that of the hot path."""
    before: dict[str, dict[str, Any]] = {}
    urls = {"default": settings.APP_URL, "owner": settings.OWNER_URL, "platform": settings.PLATFORM_URL}
    try:
        for alias, url in urls.items():
            parts = urlsplit(moved(url, server))
            here = connections.settings[alias]
            before[alias] = {name: here[name] for name in ("HOST", "PORT", "PASSWORD")}
            here |= {"HOST": parts.hostname, "PORT": parts.port, "PASSWORD": parts.password}
            connections[alias].close()
        wallets.close()
        yield
    finally:
        for alias, address in before.items():
            connections.settings[alias] |= address
            connections[alias].close()
        wallets.close()


class TestMovedHouse:
    def test_refuses_until_it_is_rebased_and_then_goes_on(
        self, new_server, api, book, customer, wallet_method, wallet, shop
    ):
        method = wallet_method(customer, 50_000)
        payment = {
            "currency": "cny",
            "customer": shown("cus", customer),
            "payment_method": shown("pm", method),
            "confirm": True,
        }
        assert api.post("payment_intents", {**payment, "amount": 10_000}).status == 200
        checkpoints.roll_forward()
        assert api.post("payment_intents", {**payment, "amount": 5_000}).status == 200
        post(book.pk, sale(wallet, shop, 500))
        owed, earned = owed_to(book), fees_of(book)
        assert (owed, earned) == (15_443, 57)
        assert Client().get("/readyz").json() == {"status": "ready"}
        copy_to(new_server)

        with living_at(new_server):
            assert checkpoints.is_foreign_cluster() is True
            ready = Client().get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["ledger"] == "the ledger was restored into another cluster: manage.py ledger rebase"
            assert [difference.check for difference in proof.prove()] == ["cluster"]

            assert checkpoints.roll_forward() == 0
            with pytest.raises(ledger.ForeignCluster) as refused:
                post(book.pk, sale(wallet, shop, 1))
            assert refused.value.code == "ledger_needs_rebase"
            for confirmed in (True, False):
                reply = refused_by_the_api(api, payment, confirmed=confirmed)
                assert (reply.status, reply.error["code"]) == (503, "ledger_needs_rebase")
            assert balance_of(method).posted_minor == 35_000

            call_command("ledger", "rebase")

            assert checkpoints.is_foreign_cluster() is False
            assert Client().get("/readyz").json() == {"status": "ready"}
            assert (owed_to(book), fees_of(book)) == (owed, earned)
            assert api.post("payment_intents", {**payment, "amount": 2_000}).status == 200
            post(book.pk, sale(wallet, shop, 7))
            assert (owed_to(book), fees_of(book)) == (owed + 1_992 + 7, earned + 8)
            checkpoints.roll_forward()
            assert api.post("payment_intents", {**payment, "amount": 1_000}).status == 200
            assert (owed_to(book), fees_of(book)) == (owed + 1_992 + 7 + 996, earned + 8 + 4)
            assert balance_of(method).posted_minor == 32_000
            books.assert_agree()

        assert (total(shop), fees_of(book)) == (owed, earned)
        assert checkpoints.is_foreign_cluster() is False

    def test_is_told_by_the_command_that_mends_it(self, wallet, shop, book, capsys):
        post(book.pk, sale(wallet, shop, 500))

        call_command("ledger", "rebase")

        # The café's and the bank's.
        assert capsys.readouterr().out == "The ledger belongs to this cluster now: 2 totals rebuilt.\n"
        assert total(shop) == 500
        books.assert_agree()


def refused_by_the_api(api, payment, *, confirmed):
    """A payment on the short road (created and confirmed at once) or on the general one."""
    if confirmed:
        return api.post("payment_intents", {**payment, "amount": 100})
    created = api.post("payment_intents", {**payment, "amount": 100, "confirm": False})
    return api.post(f"payment_intents/{created.json['id']}/confirm")
