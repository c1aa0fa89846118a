import time, json, re
import pytest
from tests.cast import *
pytestmark = pytest.mark.django_db(transaction=True)

def test_it(api, customer, wallet_method, book, other_api):
    m = wallet_method(customer, 100000)
    r = api.post("payment_intents", {"amount": 1200, "currency": "cny", "confirm": True, "customer": shown("cus", customer), "payment_method": shown("pm", m)}, idempotency_key="a")
    print(r)
    r = api.post("payment_intents", json={"amount": 1200, "currency": "cny", "confirm": True, "customer": shown("cus", customer), "payment_method": shown("pm", m), "shipping": {"name":"x","address":{"city":"y"}}, "setup_future_usage":"off_session"})
    print(r.status, r.json.get("setup_future_usage"), r.json)
    print(api.get("payment_intents/"+r.json["id"]).json.get("setup_future_usage"))
    ch = r.json["latest_charge"]
    r = api.post("refunds", {"charge": ch, "amount": 100})
    print(r)
    w = shown("wal", m.mandate.wallet)
    r = api.get(f"wallets/{w}/transactions", {"limit":1}); print(r)
    r = api.get(f"wallets/{w}/transactions", {"starting_after": "٣_"+r.json["data"][0]["id"].partition("_")[2]}); print(r)
    t=time.time(); r = api.get("customers/search", {"query": 'metadata["' + "\\a"*16}); print(r.status, time.time()-t)
    t=time.time(); r = api.get("customers/search", {"query": 'metadata["' + "\\a"*20}); print(r.status, time.time()-t)
    t=time.time(); r = api.get("customers/search", {"query": 'metadata["' + "\\a"*22}); print(r.status, time.time()-t)
    print(api.post("customers", {"unionpay": "1"}))
    print(api.post("payment_intents", {"amount": 1200}))
    print(api.get("customers/x"))
