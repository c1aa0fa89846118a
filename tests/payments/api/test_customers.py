"""Customers and the ways they pay: kept, changed, found no more once deleted."""

import pytest

from merchant_platform.kernel import tenancy
from payments.customers.models import Customer
from payments.search.models import MetadataTerm
from payments.wallets.models import Mandate
from tests.cast import balance_of, race, shown
from tests.payments import books
from tests.payments.acts import pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def method(customer, wallet_method):
    return wallet_method(customer, 10_000)


class TestMetadata:
    """Of a customer here; every object that has it merges it by the same words."""

    @pytest.fixture
    def person(self, api):
        return api.post("customers", {"metadata": {"table": "7", "waiter": "Wang"}}).json

    @pytest.mark.parametrize(
        ("change", "after"),
        [
            ({"table": "8"}, {"table": "8", "waiter": "Wang"}),
            ({"guests": "4"}, {"table": "7", "waiter": "Wang", "guests": "4"}),
            ({"table": ""}, {"waiter": "Wang"}),
            ({"nothing": ""}, {"table": "7", "waiter": "Wang"}),
            ("", {}),
        ],
    )
    def test_is_merged(self, api, person, change, after):
        changed = api.post(f"customers/{person['id']}", {"metadata": change})

        assert changed.json["metadata"] == after
        assert api.get(f"customers/{person['id']}").json["metadata"] == after

    def test_is_deleted_by_null_in_json(self, api, person):
        one = api.post(f"customers/{person['id']}", json={"metadata": {"table": None}})
        every = api.post(f"customers/{person['id']}", json={"metadata": None})

        assert (one.json["metadata"], every.json["metadata"]) == ({"waiter": "Wang"}, {})

    def test_stays_where_nothing_is_said_of_it(self, api, person):
        assert api.post(f"customers/{person['id']}", {"name": "Lin"}).json["metadata"] == person["metadata"]

    def test_has_fifty_keys_at_most_after_the_change(self, api, person):
        full = api.post(f"customers/{person['id']}", {"metadata": {f"k{n}": "x" for n in range(48)}})

        with books.unchanged():
            over = api.post(f"customers/{person['id']}", {"metadata": {"one": "more"}})
        swapped = api.post(f"customers/{person['id']}", {"metadata": {"one": "more", "k0": ""}})

        assert (full.status, len(full.json["metadata"])) == (200, 50)
        assert (over.status, over.error["code"], over.error["param"]) == (400, "metadata_too_long", "metadata")
        assert len(swapped.json["metadata"]) == 50

    def test_of_every_object_is_merged_alike(self, api, method):
        paid = pay(api, method).json
        refund = api.post("refunds", {"charge": paid["latest_charge"]}).json
        product = api.post("products", {"name": "Tea"}).json
        price = api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 5}).json
        paths = [
            f"charges/{paid['latest_charge']}",
            f"customers/{shown('cus', method.customer_id)}",
            f"payment_intents/{paid['id']}",
            f"payment_methods/{shown('pm', method)}",
            f"prices/{price['id']}",
            f"products/{product['id']}",
            f"refunds/{refund['id']}",
        ]

        for path in paths:
            api.post(path, {"metadata": {"a": "1", "b": "2"}})
            api.post(path, {"metadata": {"a": "", "c": "3"}})

        assert [api.get(path).json["metadata"] for path in paths] == [{"b": "2", "c": "3"}] * len(paths)


class TestUpdate:
    def test_writes_what_is_said_and_nothing_else(self, api):
        person = api.post(
            "customers", {"name": "Lin", "email": "lin@example.com", "phone": "5", "description": "VIP"}
        ).json

        changed = api.post(f"customers/{person['id']}", {"phone": "", "address": {"city": "Shanghai"}}).json

        assert (changed["name"], changed["email"], changed["phone"]) == ("Lin", "lin@example.com", None)
        assert (changed["description"], changed["address"]["city"]) == ("VIP", "Shanghai")
        assert api.post(f"customers/{person['id']}", {"address": ""}).json["address"] is None

    def test_tells_what_was_before(self, api):
        person = api.post("customers", {"name": "Lin", "email": "lin@example.com"}).json

        api.post(f"customers/{person['id']}", {"name": "Mei", "email": "lin@example.com"})

        event = api.get("events", {"type": "customer.updated"}).json["data"][0]
        assert event["data"]["previous_attributes"] == {"name": "Lin"}
        assert event["data"]["object"] == api.get(f"customers/{person['id']}").json

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"name": "Lin"},
            {"metadata": {"table": "7"}},
            {"metadata": {"nothing": ""}},
            {"name": "Lin", "email": "lin@example.com", "phone": ""},
        ],
    )
    def test_that_changes_nothing_tells_nothing(self, api, change):
        person = api.post("customers", {"name": "Lin", "email": "lin@example.com", "metadata": {"table": "7"}}).json

        with books.unchanged():
            answered = api.post(f"customers/{person['id']}", change)

        assert (answered.status, answered.json) == (200, person)
        assert api.get("events", {"type": "customer.updated"}).json["data"] == []

    def test_of_two_at_once_keeps_both(self, api):
        person = api.post("customers", {"metadata": {"a": "1"}}).json

        outcomes = race(
            lambda: api.post(f"customers/{person['id']}", {"metadata": {"b": "2"}}),
            lambda: api.post(f"customers/{person['id']}", {"metadata": {"c": "3"}}),
        )

        assert [reply.status for reply in outcomes] == [200, 200]
        assert api.get(f"customers/{person['id']}").json["metadata"] == {"a": "1", "b": "2", "c": "3"}


class TestDelete:
    def test_leaves_nothing_personal_and_detaches_the_methods(self, api, book, customer, method):
        path = f"customers/{shown('cus', customer)}"
        api.post(path, {"phone": "5", "description": "VIP", "metadata": {"a": "1"}, "address": {"city": "Shanghai"}})

        deleted = api.delete(path)

        assert (deleted.status, deleted.json) == (200, {"id": path[10:], "object": "customer", "deleted": True})
        assert api.get(path).json == deleted.json
        with tenancy.within(book.pk):
            row = Customer.objects.get(pk=customer.pk)
            assert not MetadataTerm.objects.filter(object_id=customer.pk).exists()
            assert Mandate.objects.get(pk=method.mandate_id).revoked_at is not None
        kept = ("name", "email", "phone", "name_key", "email_key", "phone_key")
        personal = (*kept, "description", "address", "shipping", "consumer_id")
        assert [getattr(row, name) for name in personal] == [None] * 10
        assert (row.metadata, row.preferred_locales) == ({}, [])
        gone = api.get(f"payment_methods/{shown('pm', method)}").json
        assert gone["customer"] is None

    def test_keeps_what_was_paid(self, api, book, customer, method):
        paid = pay(api, method).json

        api.delete(f"customers/{shown('cus', customer)}")

        assert api.get(f"payment_intents/{paid['id']}").json == paid
        assert api.get(f"payment_intents/{paid['id']}", {"expand": ["customer"]}).json["customer"] == {
            "id": shown("cus", customer),
            "object": "customer",
            "deleted": True,
        }
        books.assert_agree()

    def test_stops_every_later_payment(self, api, customer, method):
        intent = api.post(
            "payment_intents",
            {"amount": 5, "currency": "cny", "customer": shown("cus", customer), "payment_method": shown("pm", method)},
        ).json
        api.delete(f"customers/{shown('cus', customer)}")

        with books.unchanged():
            confirmed = api.post(f"payment_intents/{intent['id']}/confirm")
            anew = pay(api, method)

        assert (confirmed.status, anew.status) == (400, 400)
        assert balance_of(method).posted_minor == 10_000

    def test_happens_once(self, api, customer):
        path = f"customers/{shown('cus', customer)}"
        api.delete(path)

        with books.unchanged():
            again = api.delete(path)
            changed = api.post(path, {"name": "Mei"})
            methods = api.get(f"{path}/payment_methods")

        assert [reply.status for reply in (again, changed, methods)] == [404, 404, 404]
        assert api.get("customers").json["data"] == []

    def test_tells_of_the_customer_and_of_the_method(self, api, customer, method):
        api.delete(f"customers/{shown('cus', customer)}")

        told = api.get("events", {"limit": 2}).json["data"]
        assert [event["type"] for event in told] == ["customer.deleted", "payment_method.detached"]
        assert told[0]["data"]["object"]["name"] == "Lin Mei"


class TestMethods:
    def test_are_attached_once(self, api, customer, method):
        loose = api.post("payment_methods", {"type": "wallet", "wallet": {"wallet": wallet_of(method)}}).json
        path = f"payment_methods/{loose['id']}/attach"

        attached = api.post(path, {"customer": shown("cus", customer)})
        with books.unchanged():
            again = api.post(path, {"customer": shown("cus", customer)})

        assert (loose["customer"], attached.json["customer"]) == (None, shown("cus", customer))
        assert again.json == attached.json

    def test_of_another_customer_are_refused(self, api, book, make_customer, method):
        other = shown("cus", make_customer(book))

        with books.unchanged():
            refused = api.post(f"payment_methods/{shown('pm', method)}/attach", {"customer": other})

        assert (refused.status, refused.error["param"]) == (400, "customer")

    def test_are_detached_once_and_for_good(self, api, customer, method):
        path = f"payment_methods/{shown('pm', method)}"

        detached = api.post(f"{path}/detach")
        with books.unchanged():
            again = api.post(f"{path}/detach")
            attached = api.post(f"{path}/attach", {"customer": shown("cus", customer)})

        assert (detached.status, detached.json["customer"]) == (200, None)
        for refused in (again, attached):
            assert (refused.status, refused.error["code"]) == (400, "payment_method_unexpected_state")
        assert api.get("payment_methods").json["data"] == []

    def test_without_a_customer_pay(self, api, method):
        loose = api.post("payment_methods", {"type": "wallet", "wallet": {"wallet": wallet_of(method)}}).json

        paid = api.post(
            "payment_intents", {"amount": 5, "currency": "cny", "payment_method": loose["id"], "confirm": True}
        )

        assert (paid.status, paid.json["customer"]) == (200, None)
        books.assert_agree()

    def test_show_billing_details_whole(self, api, method):
        path = f"payment_methods/{shown('pm', method)}"

        changed = api.post(path, {"billing_details": {"name": "Lin", "address": {"city": "Shanghai"}}}).json

        assert changed["billing_details"] == {
            "address": {
                "city": "Shanghai",
                "country": None,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": None,
            "name": "Lin",
            "phone": None,
            "tax_id": None,
        }
        assert api.get(path).json == changed

    @pytest.mark.parametrize("change", [{}, {"metadata": {"nothing": ""}}])
    def test_that_do_not_change_tell_nothing(self, api, method, change):
        path = f"payment_methods/{shown('pm', method)}"

        with books.unchanged():
            answered = api.post(path, change)

        assert answered.status == 200
        assert api.get("events", {"type": "payment_method.updated"}).json["data"] == []

    def test_are_not_made_of_a_wallet_without_a_mandate_here(self, other_api, api, method, live_api):
        body = {"type": "wallet", "wallet": {"wallet": wallet_of(method)}}

        with books.unchanged():
            stranger, live = other_api.post("payment_methods", body), live_api.post("payment_methods", body)

        assert (stranger.status, stranger.error["param"]) == (400, "wallet[wallet]")
        assert (live.status, live.error["code"]) == (400, "wallet_consent_required")


def wallet_of(method):
    return shown("wal", method.mandate.wallet)
