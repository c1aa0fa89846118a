"""Every address of this app's API."""

from payments.api import (
    balance,
    catalog,
    charges,
    checkout_sessions,
    customers,
    events,
    orders,
    payment_codes,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    stored_value_cards,
    wallets,
    webhook_endpoints,
)

ROOMS = (
    payment_intents,
    payment_codes,
    charges,
    refunds,
    checkout_sessions,
    customers,
    payment_methods,
    setup_intents,
    catalog,
    orders,
    balance,
    events,
    wallets,
    stored_value_cards,
    webhook_endpoints,
)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
