"""Receipts: numbered without a gap, read by who was given the address, sent once."""

import re

import pytest
from django.core import mail
from django.test import Client

from merchant_platform.kernel import clock, tenancy
from payments.checkout import sweep
from payments.receipts import mail as letters
from payments.receipts import operations
from payments.receipts.models import Receipt
from security.messaging import operations as messaging
from security.messaging.models import EMAIL
from tests.cast import NOW, race
from tests.merchant_platform.docs.reading import Page
from tests.payers import Visitor, offer, row_of

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A5")]


@pytest.fixture
def pay(api, payer):
    """Pays a session of ¥10.00: `pay(customer_email=...)`."""
    from tests.payers import item

    def take(**more):
        session = offer(api, item("Espresso", 1_000), **more)
        visitor = Visitor(session)
        visitor.sign_in(payer)
        visitor.pay()
        return session

    return take


def receipts(book):
    with tenancy.within(book.pk):
        return list(Receipt.objects.order_by("number"))


class TestIssue:
    def test_numbers_without_a_gap(self, book, pay):
        for _ in range(3):
            pay()

        assert [(each.number, each.shown_number) for each in receipts(book)] == [
            (1, "000001"),
            (2, "000002"),
            (3, "000003"),
        ]

    def test_numbers_without_a_gap_in_a_race(self, book, api, payer):
        visitors = [Visitor(offer(api)) for _ in range(2)]
        for visitor in visitors:
            visitor.sign_in(payer)

        race(*(visitor.pay for visitor in visitors))

        assert [each.number for each in receipts(book)] == [1, 2]

    def test_happens_once_a_payment(self, book, pay):
        row = row_of(book, pay())
        with tenancy.within(book.pk):
            again = operations.issue(intent_id=row.intent_id, email=None, language="en", paid_at=NOW, now=NOW)

        assert [each.pk for each in receipts(book)] == [again.pk]

    def test_comes_by_the_sweep_where_the_page_was_left(self, book, pay):
        row = row_of(book, pay())
        with tenancy.within(book.pk):
            Receipt.objects.all().delete()
            type(row).objects.update(has_receipt=False)

        assert sweep.write_receipts(recorded=clock.wall()) == 1
        assert sweep.write_receipts(recorded=clock.wall()) == 0
        assert [each.number for each in receipts(book)] == [2]


class TestPage:
    def test_says_what_was_paid(self, book, pay):
        session = pay(client_reference_id="MO-42")
        (receipt,) = receipts(book)

        response = Client().get(f"/r/{receipt.code}", headers={"Accept-Language": "zh-CN"})
        page = Page(response.content.decode())
        text = " ".join(page.one("main").text.split())

        said = "Café Moka|000001|¥10.00|Espresso|2026-03-02 17:30:00|Asia/Shanghai|钱包|税额|已付款".split("|")
        assert [words for words in [*said, "MO-42"] if words not in text] == []
        assert session["order"] not in text
        assert response["X-Robots-Tag"] == "noindex"
        assert page.one("html")["lang"] == "zh-hans"

    def test_says_what_was_given_back(self, api, book, pay):
        session = pay()
        assert session["order"] in Client().get(f"/r/{receipts(book)[0].code}").content.decode()
        intent = row_of(book, session).intent_id
        from tests.cast import shown

        api.post("refunds", {"payment_intent": shown("pi", intent), "amount": 400})

        text = Client().get(f"/r/{receipts(book)[0].code}").content.decode()

        assert "Partly refunded" in text
        assert "\u2212CN¥4.00" in text


class TestMail:
    def test_is_sent_once_to_who_is_known(self, book, pay):
        pay(customer_email="guest@example.com", locale="zh")
        now = clock.wall()

        sent = [letters.send_unsent(recorded=now), letters.send_unsent(recorded=now)]

        assert sent == [1, 0]
        (letter,) = mail.outbox
        assert letter.to == ["guest@example.com"]
        assert letter.subject == "[测试] Café Moka 的收据 000001"
        assert re.search(r"/r/[0-9A-Za-z]{22}\n", letter.body)

    def test_goes_to_the_consumer_where_nobody_else_is_named(self, book, pay):
        pay()

        letters.send_unsent(recorded=clock.wall())

        assert mail.outbox[0].to == ["lin.mei@example.com"]

    def test_does_not_go_where_nothing_is_sent(self, book, pay):
        messaging.suppress(channel=EMAIL, address="lin.mei@example.com", reason="SMTP 550", now=NOW)
        pay()

        assert (letters.send_unsent(recorded=clock.wall()), mail.outbox) == (0, [])

    def test_is_tried_again_after_the_server_failed(self, book, pay, monkeypatch):
        pay()

        def refuse(**_):
            raise ConnectionRefusedError

        now = clock.wall()
        with monkeypatch.context() as broken:
            broken.setattr(letters, "send_mail", refuse)
            failed = letters.send_unsent(recorded=now)
        too_soon = letters.send_unsent(recorded=now)
        later = letters.send_unsent(recorded=now + operations.SENDING_LASTS * 2)

        assert (failed, too_soon, later, len(mail.outbox)) == (0, 0, 1, 1)

    def test_to_an_address_that_cannot_be_written_stops_no_other(self, book, pay):
        for address in (f"guest@{'中' * 60}.com", "guest@example.com"):
            pay(customer_email=address)

        assert letters.send_unsent(recorded=clock.wall()) == 1
        assert mail.outbox[0].to == ["guest@example.com"]

    def test_is_sent_once_by_two_senders(self, book, pay):
        pay()
        now = clock.wall()

        sent = race(lambda: letters.send_unsent(recorded=now), lambda: letters.send_unsent(recorded=now))

        assert (sorted(sent), len(mail.outbox)) == ([0, 1], 1)
