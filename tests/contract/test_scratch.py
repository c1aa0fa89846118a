import time, json, re
import pytest, stripe
from tests.cast import *
from tests.contract.sdk_types import problems
import sys; sys.path.insert(0, "/work/shared/tools")
import sdk_types as shared
pytestmark = pytest.mark.django_db(transaction=True)

def test_it(server, key, book):
    c = stripe.StripeClient(key, base_addresses={"api": server})
    def chk(o):
        d = o.to_dict() if hasattr(o, "to_dict") else o
        d = json.loads(str(o)) if not isinstance(o, dict) else o
        print(d.get("object"), "MINE", problems(d), "SHARED", shared.problems(d, True))
        return o
    cus = chk(c.v1.customers.create({"name": "L", "email": "l@example.com", "metadata": {"a": "1"}, "address": {"city": "x"}, "shipping": {"name": "x", "address": {"city": "y"}}}))
    w = c.raw_request("post", "/v1/test_helpers/wallets", customer=cus.id, balance=100000, currency="cny")
    print(type(w), w)
    w = json.loads(w.data) if hasattr(w, "data") and isinstance(w.data, str) else w
    print(w)
