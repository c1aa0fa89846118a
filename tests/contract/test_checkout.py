"""Checkout sessions with the unmodified SDK."""

import pytest
import stripe

from tests.contract.integrator import checked

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A5")]


@pytest.fixture
def session(integrator, guest):
    product = checked(integrator.v1.products.create({"name": "Espresso"}))
    price = checked(integrator.v1.prices.create({"product": product.id, "currency": "cny", "unit_amount": 1_800}))
    return checked(
        integrator.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": guest.id,
                "client_reference_id": "MO-42",
                "line_items": [
                    {"price": price.id, "quantity": 2},
                    {
                        "price_data": {
                            "currency": "cny",
                            "unit_amount": 1_000,
                            "product_data": {"name": "Delivery"},
                        },
                        "quantity": 1,
                    },
                ],
                "success_url": "https://cafe.example/thanks?session={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://cafe.example/basket",
                "locale": "zh",
                "submit_type": "pay",
                "metadata": {"table": "7"},
                "payment_intent_data": {"description": "Two espressos", "metadata": {"till": "2"}},
            }
        )
    )


class TestCheckoutSessions:
    def test_are_offered_and_read(self, integrator, session, server):
        found = checked(integrator.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "customer"]}))
        lines = checked(integrator.v1.checkout.sessions.line_items.list(session.id))

        assert session.url.startswith(f"{server}/pay/")
        assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 4_600)
        assert [line.amount_total for line in found.line_items.data] == [3_600, 1_000]
        assert found.customer.email == "Lin.Mei@example.com"
        assert [(line.description, line.quantity) for line in lines.data] == [("Espresso", 2), ("Delivery", 1)]
        assert lines.data[0].price.unit_amount == 1_800

    def test_are_listed_changed_and_expired(self, integrator, guest, session):
        changed = checked(integrator.v1.checkout.sessions.update(session.id, {"metadata": {"table": "8"}}))
        expired = checked(integrator.v1.checkout.sessions.expire(session.id))
        listed = checked(integrator.v1.checkout.sessions.list({"customer": guest.id, "status": "expired"}))
        told = checked(integrator.v1.events.list({"type": "checkout.session.expired"}))

        assert changed.metadata["table"] == "8"
        assert (expired.status, expired.url) == ("expired", None)
        assert [each.id for each in listed.data] == [session.id]
        assert [event.data.object.id for event in told.data] == [session.id]
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.checkout.sessions.expire(session.id)
        assert refused.value.code == "checkout_session_unexpected_state"
