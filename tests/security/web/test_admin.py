"""/admin/: for operators with a second factor, to read and never to change."""

import pytest
from django.contrib import admin

from merchant_platform.kernel.privacy import PrivacyClass, of
from payments.ledger.models import Entry
from security.audit.models import AuditRecord
from security.identity.models import User
from security.merchants.models import TEST, Book, Merchant
from security.messaging import operations as messaging
from security.messaging.models import Message
from tests.cast import NOW, make_wallet, shown
from tests.staff import make_staff, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

HERE = "/admin/"


@pytest.fixture
def operator(platform):
    return User.objects.create_user("operator@example.com", is_operator=True)


def address(model, rest=""):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{rest}"


class TestDoor:
    def test_is_closed_to_everybody_else(self, operator, merchant, client):
        assert client.get(HERE, follow=True).redirect_chain[-1] == ("/accounts/login/?next=/admin/", 302)
        assert sign_in(make_staff(merchant).user).get(HERE, follow=True).status_code == 403
        assert sign_in(User.objects.create_user("lin@example.com")).get(HERE, follow=True).status_code == 403
        assert sign_in(operator, factor=None).get(HERE)["Location"] == "/accounts/enrol/?next=%2Fadmin%2F"
        assert sign_in(operator).get(HERE).status_code == 200

    def test_shows_every_table_and_records_it(self, operator, merchant, book):
        make_wallet(book, 5_000)
        client = sign_in(operator)

        for model in admin.site._registry:
            assert client.get(address(model)).status_code == 200, model

        looked = AuditRecord.objects.filter(action="admin.view", actor_id=operator.pk)
        assert looked.count() == len(admin.site._registry)

    def test_runs_no_inline_script(self, operator):
        reply = sign_in(operator).get(address(Merchant))

        assert "<script>" not in reply.content.decode()
        assert " style=" not in reply.content.decode()
        assert "unsafe-inline" not in reply["Content-Security-Policy"]


class TestTables:
    def test_are_changed_by_nobody(self, operator, merchant):
        client = sign_in(operator)
        for model in admin.site._registry:
            assert client.post(address(model, "add/"), {"name": "x"}).status_code == 403
        row = address(Merchant, f"{merchant.pk}/change/")
        assert client.get(row).status_code == 200
        assert client.post(row, {"name": "Mine now"}).status_code == 403
        assert client.post(address(Merchant, f"{merchant.pk}/delete/"), {"post": "yes"}).status_code == 403
        assert Merchant.objects.get(pk=merchant.pk).name == "Café Moka"

    def test_are_asked_for_nothing_that_no_row_can_hold(self, operator):
        client = sign_in(operator)

        filtered = [client.get(address(Message), {name: "\0"}).status_code for name in ("status__exact", "q", "e")]
        found = [client.get(address(Message, f"a\0/{act}/")).status_code for act in ("change", "delete", "history")]

        assert (filtered, found) == ([400] * 3, [400, 403, 403])

    def test_show_no_secret(self, operator):
        request = type("Request", (), {"user": operator})()
        shown_secrets = [
            f"{model._meta.label}.{name}"
            for model, page in admin.site._registry.items()
            for name in [*page.get_fields(request), *page.get_list_display(request)]
            if of(model).get(name) == PrivacyClass.SECRET
        ]

        assert shown_secrets == []

    def test_of_a_book_are_seen_one_book_at_a_time(self, operator, wallet_method, customer, platform, other_book):
        wallet_method(customer, 5_000)
        # The platform's own book is where a wallet was funded.
        funded = Book.objects.get(merchant=platform, mode=TEST)
        client = sign_in(operator)

        def rows(query):
            return len(client.get(f"{address(Entry)}{query}").context["cl"].result_list)

        assert rows(f"?book={shown('bk', funded)}") == 1
        assert rows(f"?book={shown('bk', other_book)}") == 0
        assert [rows(""), rows("?book=nonsense")] == [0, 0]


class TestOutbox:
    @pytest.mark.parametrize("is_shown", [True, False])
    def test_shows_bodies_only_where_nothing_is_sent_for_real(self, operator, settings, is_shown):
        settings.OUTBOX_SHOWS_BODIES = is_shown
        message = messaging.write(
            channel="email", address="lin@example.com", template="t", language="en", body="code 482913", now=NOW
        )

        page = sign_in(operator).get(address(type(message), f"{message.pk}/change/")).content.decode()

        assert "lin@example.com" in page
        assert ("482913" in page) is is_shown
