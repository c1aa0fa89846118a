"""What an integrator does with the `stripe` SDK, of every resource that we share with Stripe."""

from urllib.request import urlopen

import pytest
import stripe

from merchant_platform.kernel.api import doors
from payments import proof
from tests.contract.integrator import ask, checked, checked_error

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def wallet(guest, wallet_of):
    """The guest's wallet with ¥500.00; its `payment_method` is what pays."""
    return wallet_of(guest, 50_000)


@pytest.fixture
def pay(integrator, guest, wallet):
    """Takes money from the guest's wallet at once: `pay(1_200)`."""

    def take(amount, **params):
        return checked(
            integrator.v1.payment_intents.create(
                {
                    "amount": amount,
                    "currency": "cny",
                    "customer": guest.id,
                    "payment_method": wallet.payment_method,
                    "confirm": True,
                    **params,
                }
            )
        )

    return take


def test_the_version_is_the_sdks_own():
    assert stripe.api_version == doors.API_VERSION


class TestCustomers:
    def test_are_made_read_changed_and_deleted(self, integrator, guest):
        changed = checked(
            integrator.v1.customers.update(guest.id, {"name": "Lin M.", "metadata": {"table": "", "vip": "yes"}})
        )
        found = checked(integrator.v1.customers.retrieve(guest.id))
        deleted = checked(integrator.v1.customers.delete(guest.id))
        gone = integrator.v1.customers.retrieve(guest.id)

        assert guest.address.city == "Shanghai"
        assert guest.metadata["table"] == "7"
        assert (changed.name, changed.metadata.to_dict()) == ("Lin M.", {"vip": "yes"})
        assert found.to_dict() == changed.to_dict()
        assert deleted.deleted is True
        assert gone.deleted is True

    def test_are_found_by_their_address_and_by_what_is_searched(self, integrator, guest):
        other = integrator.v1.customers.create(
            {"name": "Wang Wei", "email": "wang@example.com", "metadata": {"table": "8"}}
        )

        def search(query):
            return [found.id for found in checked(integrator.v1.customers.search({"query": query})).data]

        assert [found.id for found in integrator.v1.customers.list({"email": "wang@example.com"}).data] == [other.id]
        assert search('email:"lin.mei@EXAMPLE.com"') == [guest.id]
        assert search('metadata["table"]:"7"') == [guest.id]
        assert search('-metadata["table"]:"7"') == [other.id]
        assert search('name:"Lin Mei" OR metadata["table"]:"8"') == [other.id, guest.id]


class TestPaymentMethods:
    def test_are_listed_changed_and_detached(self, integrator, guest, wallet):
        listed = checked(integrator.v1.payment_methods.list({"customer": guest.id, "type": "wallet"}))
        of_customer = checked(integrator.v1.customers.payment_methods.list(guest.id))
        address = {"name": "Lin Mei", "address": {"city": "Shanghai"}}
        changed = checked(
            integrator.v1.payment_methods.update(
                wallet.payment_method, {"billing_details": address, "metadata": {"a": "1"}}
            )
        )
        detached = checked(integrator.v1.payment_methods.detach(wallet.payment_method))

        assert [method.id for method in listed.data] == [wallet.payment_method]
        assert [method.id for method in of_customer.data] == [wallet.payment_method]
        assert changed.billing_details.address.city == "Shanghai"
        assert changed.billing_details.address.line1 is None
        assert detached.customer is None

    def test_are_made_of_a_wallet_and_attached(self, integrator, guest, wallet):
        loose = checked(integrator.v1.payment_methods.create({"type": "wallet", "wallet": {"wallet": wallet.id}}))
        attached = checked(integrator.v1.payment_methods.attach(loose.id, {"customer": guest.id}))
        found = checked(integrator.v1.payment_methods.retrieve(loose.id))

        assert loose.customer is None
        assert attached.customer == found.customer == guest.id


@pytest.mark.requirement("A5")
class TestPaymentIntents:
    def test_take_the_money_at_once(self, integrator, guest, pay):
        paid = pay(1_200, description="Two coffees", metadata={"table": "7"}, receipt_email="lin@example.com")
        found = checked(integrator.v1.payment_intents.retrieve(paid.id))

        assert (paid.status, paid.amount_received, paid.currency) == ("succeeded", 1_200, "cny")
        assert found.to_dict() == paid.to_dict()
        assert checked(integrator.v1.charges.retrieve(paid.latest_charge)).paid is True
        assert proof.prove() == []

    def test_go_step_by_step(self, integrator, guest, wallet):
        created = checked(
            integrator.v1.payment_intents.create({"amount": 900, "currency": "cny", "customer": guest.id})
        )
        changed = checked(integrator.v1.payment_intents.update(created.id, {"amount": 1_000, "description": "Tea"}))
        confirmed = checked(
            integrator.v1.payment_intents.confirm(created.id, {"payment_method": wallet.payment_method})
        )

        assert created.status == "requires_payment_method"
        assert (changed.amount, changed.description) == (1_000, "Tea")
        assert (confirmed.status, confirmed.amount_received) == ("succeeded", 1_000)

    def test_are_canceled(self, integrator):
        created = integrator.v1.payment_intents.create({"amount": 900, "currency": "cny"})
        canceled = checked(
            integrator.v1.payment_intents.cancel(created.id, {"cancellation_reason": "requested_by_customer"})
        )

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.payment_intents.confirm(created.id)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert checked_error(refused.value).payment_intent.status == "canceled"

    def test_are_declined_as_a_card_is(self, integrator, pay):
        with pytest.raises(stripe.CardError) as declined:
            pay(50_001)

        error = checked_error(declined.value)
        assert declined.value.http_status == 402
        assert (declined.value.code, error.decline_code) == ("card_declined", "insufficient_funds")
        assert declined.value.user_message == "The wallet has insufficient funds to complete the payment."
        assert error.payment_intent.status == "requires_payment_method"
        assert error.payment_intent.last_payment_error.charge == error.charge
        failed = checked(integrator.v1.charges.retrieve(error.charge))
        assert (failed.status, failed.outcome.reason) == ("failed", "insufficient_funds")

    def test_are_paged_through_and_searched(self, integrator, guest, pay):
        paid = [pay(100 + number, metadata={"number": str(number)}).id for number in range(7)]

        listed = checked(integrator.v1.payment_intents.list({"limit": 3, "customer": guest.id}))
        found = checked(
            integrator.v1.payment_intents.search({"query": 'status:"succeeded" AND amount>=104', "limit": 2})
        )

        assert [intent.id for intent in listed.auto_paging_iter()] == paid[::-1]
        assert [intent.id for intent in found.auto_paging_iter()] == [paid[6], paid[5], paid[4]]
        assert [intent.id for intent in integrator.v1.payment_intents.search({"query": 'metadata["number"]:"2"'})] == [
            paid[2]
        ]
        assert [intent.id for intent in integrator.v1.payment_intents.list({"ending_before": paid[2], "limit": 2})] == [
            paid[4],
            paid[3],
        ]


class TestRefunds:
    def test_give_back_in_parts(self, integrator, pay):
        paid = pay(1_000)
        first = checked(integrator.v1.refunds.create({"payment_intent": paid.id, "amount": 300, "reason": "duplicate"}))
        second = checked(integrator.v1.refunds.create({"charge": paid.latest_charge}))
        listed = checked(integrator.v1.refunds.list({"charge": paid.latest_charge}))
        changed = checked(integrator.v1.refunds.update(first.id, {"metadata": {"why": "cold"}}))

        assert (first.amount, second.amount) == (300, 700)
        assert (first.status, first.reason) == ("succeeded", "duplicate")
        assert [refund.id for refund in listed.data] == [second.id, first.id]
        assert changed.metadata["why"] == "cold"
        assert checked(integrator.v1.charges.retrieve(paid.latest_charge)).refunded is True
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.refunds.create({"payment_intent": paid.id, "amount": 1})
        assert refused.value.code == "charge_already_refunded"
        assert proof.prove() == []

    def test_name_lines_of_the_order(self, integrator, pay):
        paid = pay(1_000)
        order = ask(integrator, "get", f"/v1/orders/{paid.order}")

        refund = checked(
            integrator.v1.refunds.create(
                {"charge": paid.latest_charge, "lines": [{"line": order.lines.data[0].id, "amount": 250}]}
            )
        )

        assert refund.amount == 250
        assert refund.lines[0].line == order.lines.data[0].id


class TestCharges:
    def test_are_listed_searched_and_described(self, integrator, guest, pay):
        paid, dearer = pay(500), pay(800, metadata={"table": "7"})

        listed = checked(integrator.v1.charges.list({"customer": guest.id}))
        of_intent = checked(integrator.v1.charges.list({"payment_intent": paid.id}))
        found = checked(integrator.v1.charges.search({"query": 'amount>500 AND metadata["table"]:"7"'}))
        changed = checked(integrator.v1.charges.update(paid.latest_charge, {"description": "Tea"}))

        assert [charge.id for charge in listed.data] == [dearer.latest_charge, paid.latest_charge]
        assert [charge.id for charge in of_intent.data] == [paid.latest_charge]
        assert [charge.id for charge in found.data] == [dearer.latest_charge]
        assert changed.description == "Tea"


class TestBalance:
    def test_is_what_was_taken_less_fees_and_refunds(self, integrator, pay):
        empty = checked(integrator.v1.balance.retrieve())
        paid = pay(10_000)
        integrator.v1.refunds.create({"charge": paid.latest_charge, "amount": 5_000})

        balance = checked(integrator.v1.balance.retrieve())
        given_back, taken = checked(integrator.v1.balance_transactions.list()).data
        of_charge = checked(integrator.v1.balance_transactions.list({"source": paid.latest_charge}))

        assert [(each.amount, each.currency) for each in empty.available] == [(0, "cny")]
        assert [(each.amount, each.currency) for each in balance.available] == [(4_981, "cny")]
        assert [(each.amount, each.currency) for each in balance.pending] == [(0, "cny")]
        assert (taken.amount, taken.fee, taken.net, taken.type) == (10_000, 38, 9_962, "payment")
        assert (given_back.amount, given_back.fee, given_back.net) == (-5_000, -19, -4_981)
        assert given_back.type == "payment_refund"
        assert [each.id for each in of_charge.data] == [taken.id]
        assert checked(integrator.v1.balance_transactions.retrieve(taken.id)).source == paid.latest_charge


class TestCatalog:
    def test_has_products_with_prices(self, integrator):
        product = checked(
            integrator.v1.products.create(
                {
                    "name": "Oolong",
                    "default_price_data": {"currency": "cny", "unit_amount": 3_200},
                    "images": ["https://example.com/o.jpg"],
                }
            )
        )
        second = checked(
            integrator.v1.prices.create(
                {"product": product.id, "currency": "cny", "unit_amount": 5_900, "lookup_key": "pot", "nickname": "Pot"}
            )
        )
        changed = checked(integrator.v1.products.update(product.id, {"default_price": second.id, "active": False}))
        listed = checked(integrator.v1.prices.list({"product": product.id}))
        by_key = checked(integrator.v1.prices.list({"lookup_keys": ["pot"]}))
        renamed = checked(integrator.v1.prices.update(second.id, {"nickname": "Big pot"}))

        first = checked(integrator.v1.prices.retrieve(product.default_price))
        assert (first.unit_amount, str(first.unit_amount_decimal)) == (3_200, "3200")
        assert (changed.default_price, changed.active) == (second.id, False)
        assert [price.id for price in listed.data] == [second.id, first.id]
        assert [price.id for price in by_key.data] == [second.id]
        assert renamed.nickname == "Big pot"
        assert checked(integrator.v1.products.list({"active": True})).data == []
        assert checked(integrator.v1.products.retrieve(product.id)).name == "Oolong"

    def test_loses_a_product_that_was_never_priced(self, integrator):
        product = integrator.v1.products.create({"name": "A mistake"})

        deleted = checked(integrator.v1.products.delete(product.id))

        assert deleted.deleted is True


class TestOrders:
    def test_are_paid_by_an_intent_that_names_them(self, integrator, guest, pay):
        product = integrator.v1.products.create(
            {"name": "Oolong", "default_price_data": {"currency": "cny", "unit_amount": 3_200}}
        )
        order = ask(
            integrator,
            "post",
            "/v1/orders",
            currency="cny",
            customer=guest.id,
            reference="table 7",
            line_items=[
                {"price": product.default_price, "quantity": 2},
                {"description": "Cake", "unit_amount": 1_600},
            ],
        )

        paid = pay(8_000, payment_details={"order_reference": "table 7"})

        found = ask(integrator, "get", f"/v1/orders/{order.id}")
        assert (order.amount_total, order.amount_due, order.status) == (8_000, 8_000, "open")
        assert paid.order == order.id
        assert paid.payment_details.order_reference == "table 7"
        assert (found.amount_paid, found.amount_due, found.status) == (8_000, 0, "paid")
        listed = integrator.raw_request("get", "/v1/orders", reference="table 7")
        assert [each["id"] for each in listed.data["data"]] == [order.id]


class TestEvents:
    def test_tell_of_everything_in_the_sdks_shape(self, integrator, guest, pay):
        paid = pay(1_000)
        integrator.v1.refunds.create({"charge": paid.latest_charge, "amount": 400})
        integrator.v1.customers.update(guest.id, {"name": "Lin"})

        whole = checked(integrator.v1.events.list({"limit": 100}))
        told = list(integrator.v1.events.list({"limit": 3}).auto_paging_iter())

        assert [event.type for event in told] == [
            "customer.updated",
            "refund.created",
            "charge.refunded",
            "payment_intent.succeeded",
            "charge.succeeded",
            "payment_intent.created",
            "payment_method.attached",
            "customer.created",
        ]
        assert [event.id for event in told] == [event.id for event in whole.data]
        assert {event.api_version for event in told} == {stripe.api_version}
        assert told[0].data.previous_attributes.to_dict() == {"name": "Lin Mei"}
        assert told[3].data.object.to_dict() == paid.to_dict()
        assert told[3].request.id == paid.last_response.request_id
        assert checked(integrator.v1.events.retrieve(told[3].id)).to_dict() == told[3].to_dict()
        assert [event.type for event in integrator.v1.events.list({"type": "charge.*"})] == [
            "charge.refunded",
            "charge.succeeded",
        ]


class TestExpand:
    def test_opens_four_levels(self, integrator, guest, pay):
        paid = pay(1_000)
        refund = integrator.v1.refunds.create({"charge": paid.latest_charge, "amount": 400})

        opened = checked(
            integrator.v1.refunds.retrieve(
                refund.id,
                {
                    "expand": [
                        "charge.payment_intent.latest_charge.balance_transaction",
                        "charge.payment_intent.customer",
                        "balance_transaction.source",
                        "payment_method.customer",
                    ]
                },
            )
        )

        intent = opened.charge.payment_intent
        assert intent.latest_charge.balance_transaction.net == 996
        assert intent.customer.name == "Lin Mei"
        assert opened.balance_transaction.source.id == refund.id
        assert opened.payment_method.customer.id == guest.id

    def test_opens_four_levels_of_a_list(self, integrator, pay):
        pay(1_000)
        pay(2_000)

        opened = checked(
            integrator.v1.charges.list({"expand": ["data.payment_intent.latest_charge.balance_transaction.source"]})
        )

        assert [each.payment_intent.latest_charge.balance_transaction.source.amount for each in opened.data] == [
            2_000,
            1_000,
        ]

    def test_refuses_a_fifth_level_and_what_is_no_id(self, integrator, pay):
        paid = pay(1_000)

        for path in (
            "latest_charge.payment_intent.latest_charge.payment_intent.customer",
            "amount",
            "latest_charge.nothing",
        ):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                integrator.v1.payment_intents.retrieve(paid.id, {"expand": [path]})
            assert refused.value.http_status == 400
            assert checked_error(refused.value).param.startswith("expand")


class LosesTheFirstAnswer(stripe.RequestsClient):
    """A network that carries the request and loses what came back."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def request(self, *arguments, **options):
        self.answers.append(super().request(*arguments, **options))
        if len(self.answers) == 1:
            raise stripe.APIConnectionError("the line went dead", should_retry=True)
        return self.answers[-1]

    def _sleep_time_seconds(self, *arguments, **options):
        return 0


@pytest.mark.requirement("A12")
class TestRetries:
    def test_of_the_same_key_are_answered_by_the_first_answer(self, integrator, guest, wallet):
        order = {
            "amount": 700,
            "currency": "cny",
            "customer": guest.id,
            "payment_method": wallet.payment_method,
            "confirm": True,
        }

        first = integrator.v1.payment_intents.create(order, {"idempotency_key": "table 7, round 1"})
        second = checked(integrator.v1.payment_intents.create(order, {"idempotency_key": "table 7, round 1"}))

        assert second.to_dict() == first.to_dict()
        assert "idempotent-replayed" not in headers_of(first)
        assert headers_of(second)["idempotent-replayed"] == "true"
        assert headers_of(second)["original-request"] == first.last_response.request_id
        assert len(integrator.v1.payment_intents.list().data) == 1

    def test_of_the_same_key_for_something_else_are_refused(self, integrator, guest):
        integrator.v1.payment_intents.create({"amount": 700, "currency": "cny"}, {"idempotency_key": "one"})

        with pytest.raises(stripe.IdempotencyError) as refused:
            integrator.v1.payment_intents.create({"amount": 800, "currency": "cny"}, {"idempotency_key": "one"})

        assert refused.value.http_status == 400
        assert len(integrator.v1.payment_intents.list().data) == 1

    def test_that_the_sdk_makes_itself_pay_once(self, server, key, integrator, guest, wallet):
        network = LosesTheFirstAnswer()
        patient = stripe.StripeClient(key, base_addresses={"api": server}, max_network_retries=2, http_client=network)

        paid = patient.v1.payment_intents.create(
            {
                "amount": 700,
                "currency": "cny",
                "customer": guest.id,
                "payment_method": wallet.payment_method,
                "confirm": True,
            }
        )

        assert len(network.answers) == 2
        assert headers_of(paid)["idempotent-replayed"] == "true"
        assert [intent.id for intent in integrator.v1.payment_intents.list()] == [paid.id]
        assert ask(integrator, "get", f"/v1/wallets/{wallet.id}").balance == 49_300

    def test_are_not_made_of_a_decline(self, server, key, integrator, guest, wallet):
        network = LosesTheFirstAnswer()
        network.answers.append(None)
        patient = stripe.StripeClient(key, base_addresses={"api": server}, max_network_retries=2, http_client=network)

        with pytest.raises(stripe.CardError):
            patient.v1.payment_intents.create(
                {
                    "amount": 50_001,
                    "currency": "cny",
                    "customer": guest.id,
                    "payment_method": wallet.payment_method,
                    "confirm": True,
                }
            )

        assert len(network.answers) == 2


class TestErrors:
    @pytest.mark.requirement("B5")
    def test_lead_to_a_page_that_says_how_to_mend_them(self, server, integrator):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.payment_intents.create({"amount": 700})

        page = checked_error(refused.value).doc_url
        assert page == f"{server}/docs/errors/parameter_missing"
        with urlopen(page) as opened:
            assert (opened.status, b"parameter_missing" in opened.read()) == (200, True)
        assert (refused.value.code, refused.value.param) == ("parameter_missing", "currency")
        assert str(refused.value.request_id).startswith("req_")

    @pytest.mark.requirement("B5")
    def test_of_a_decline_lead_to_its_own_page(self, server, pay):
        with pytest.raises(stripe.CardError) as declined:
            pay(50_001)

        page = checked_error(declined.value).doc_url
        assert page == f"{server}/docs/errors/insufficient_funds"
        with urlopen(page) as opened:
            assert (opened.status, b"insufficient_funds" in opened.read()) == (200, True)

    def test_of_the_key_are_told_apart(self, server):
        stranger = stripe.StripeClient("sk_test_guessed", base_addresses={"api": server})

        with pytest.raises(stripe.AuthenticationError) as refused:
            stranger.v1.balance.retrieve()

        assert refused.value.http_status == 401

    def test_of_permissions_are_told_apart(self, server, restricted_key):
        limited = stripe.StripeClient(restricted_key(customers="read"), base_addresses={"api": server})

        with pytest.raises(stripe.PermissionError) as refused:
            limited.v1.customers.create({})

        assert limited.v1.customers.list().data == []
        assert refused.value.http_status == 403


def headers_of(answered):
    """The headers of an answer, by names in lower case."""
    return {name.lower(): value for name, value in answered.last_response.headers.items()}


class TestWebhookEndpoints:
    @pytest.mark.requirement("A40")
    def test_are_made_read_changed_listed_and_deleted(self, integrator):
        made = checked(
            integrator.v1.webhook_endpoints.create(
                {
                    "url": "https://example.com/hooks",
                    "enabled_events": ["payment_intent.succeeded", "charge.failed"],
                    "description": "Till",
                    "metadata": {"shop": "1"},
                    "api_version": stripe.api_version,
                }
            )
        )
        other = checked(
            integrator.v1.webhook_endpoints.create({"url": "https://example.com/all", "enabled_events": ["*"]})
        )
        changed = checked(
            integrator.v1.webhook_endpoints.update(
                made.id, {"url": "https://example.com/new", "disabled": True, "metadata": {"shop": ""}}
            )
        )
        found = checked(integrator.v1.webhook_endpoints.retrieve(made.id))
        listed = checked(integrator.v1.webhook_endpoints.list())
        gone = checked(integrator.v1.webhook_endpoints.delete(made.id))
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.webhook_endpoints.retrieve(made.id)

        assert made.secret.startswith("whsec_")
        assert (made.status, made.livemode, made.api_version) == ("enabled", False, stripe.api_version)
        assert (changed.url, changed.status, changed.metadata.to_dict()) == ("https://example.com/new", "disabled", {})
        assert found.to_dict() == changed.to_dict()
        assert [each.id for each in listed.data] == [other.id, made.id]
        assert (gone.id, gone.deleted) == (made.id, True)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")

    def test_are_refused_as_stripe_refuses_them(self, integrator):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.webhook_endpoints.create({"url": "https://127.0.0.1/", "enabled_events": ["*"]})

        assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, "url_invalid", "url")

    def test_can_be_asked_for_what_only_we_have(self, integrator, guest):
        made = integrator.v1.webhook_endpoints.create({"url": "https://example.com/all", "enabled_events": ["*"]})
        path = f"/v1/webhook_endpoints/{made.id}"
        event = integrator.v1.events.list({"limit": 1}).data[0]

        rotated = ask(integrator, "post", f"{path}/rotate_secret", expires_in=3600)
        tested = ask(integrator, "post", f"{path}/test")
        resent = ask(integrator, "post", f"{path}/resend", event=event.id)
        filled = ask(
            integrator, "post", f"{path}/backfill", created={"gte": event.created, "lt": event.created + 1},
            include_succeeded=True,
        )  # fmt: skip
        listed = ask(integrator, "get", f"{path}/deliveries")

        assert rotated.secret != made.secret
        assert (tested.event_type, resent.event, filled.deliveries_count) == ("webhook_endpoint.test", event.id, 0)
        assert [each.id for each in listed.data] == [resent.id, tested.id]
