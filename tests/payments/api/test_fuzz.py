"""No words of a client bring a server down: whatever is sent to a door, it answers, and the books agree afterwards.

Bodies are generated from the parameters that each door names: any of them, with values
that fit, values that nearly fit and values that fit nowhere, as a form and as JSON.
"""

from collections import Counter
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from merchant_platform.kernel import ids
from merchant_platform.kernel.api.openapi import endpoints
from tests.cast import FORM, NOW, encode, shown
from tests.payments import books
from tests.payments.acts import ask_for, pay, refund
from tests.payments.api.test_refusals import PREFIXES
from tests.payments.cases import SEED, cases

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DOORS = sorted(
    ((method, address.removeprefix("/v1/"), each.params) for address, method, each in endpoints()),
    key=lambda door: door[:2],
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "null", "true", "false", "cny", "usd", "KWD", "wallet", "x" * 6_000, "0", "-0", "1e9", "٣", "²"]
    ),
    st.sampled_from(
        ['status:"succeeded"', 'metadata["a"]:null', "amount>0 OR amount<5", "created>9", "lin@example.com"]
    ),
    st.sampled_from(
        ["data.customer", "latest_charge.balance_transaction", "customer", "data", "data.source.charge", "..", ""]
    ),
)
NUMBERS = st.one_of(
    st.integers(-5, 2_000),
    st.sampled_from([2**31, 2**31 - 1, 2**63 - 1, 2**63, -(2**63), 10**13, 10**18, 99_999_999, 253_402_300_800]),
)
LEAVES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), st.floats())
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def fitting(annotation: Any, world: dict[str, str]) -> st.SearchStrategy[Any]:
    """Values for a parameter: most of its shape, some that stand in the world, some of no shape at all."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return st.one_of([*_of_shape(annotation, world), st.sampled_from(sorted(world.values())), LEAVES, ANYTHING])


def _of_shape(annotation: Any, world: dict[str, str]) -> list[st.SearchStrategy[Any]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return [fitting(each, world) for each in arguments]
    if origin is list:
        inner = fitting(arguments[0], world)
        numbered = st.dictionaries(st.integers(0, 5).map(str), inner, max_size=3)
        return [*[st.lists(inner, max_size=3)] * 4, numbered]
    shapes: dict[Any, st.SearchStrategy[Any]] = {bool: st.booleans(), int: NUMBERS}
    if origin is Literal:
        return [st.sampled_from(arguments)] * 4
    if origin is dict:
        return [st.dictionaries(st.text(max_size=50), TEXTS, max_size=5)] * 4
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [bodies(annotation, world)] * 4
    return [shapes[annotation]] * 4 if annotation in shapes else []


def bodies(params: type[BaseModel], world: dict[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of a door: mostly the ones it needs, some of the others, now and then one that it has not."""
    fields = params.model_fields
    needed = {name: fitting(each.annotation, world) for name, each in fields.items() if each.is_required()}
    others = {name: fitting(each.annotation, world) for name, each in fields.items() if name not in needed}
    return st.builds(
        lambda one, two, three: {**three, **one, **two},
        st.fixed_dictionaries({}, optional=needed) | st.fixed_dictionaries(needed),
        st.fixed_dictionaries({}, optional=others),
        st.dictionaries(st.text(max_size=12), ANYTHING, max_size=1) | st.just({}),
    )


@pytest.fixture
def world(api, customer, wallet_method):
    """One of everything, so that an id that is sent may be one that is there."""
    method = wallet_method(customer, 10**9)
    product = api.post("products", {"name": "Espresso"}).json["id"]
    price = api.post("prices", {"product": product, "currency": "cny", "unit_amount": 900}).json["id"]
    order = api.post(
        "orders", {"currency": "cny", "reference": "table 7", "line_items": [{"price": price, "quantity": 3}]}
    ).json
    paid = pay(api, method, 100_000).json
    return {
        "ch": paid["latest_charge"],
        "cus": shown("cus", customer),
        "evt": api.get("events").json["data"][0]["id"],
        "li": order["lines"]["data"][0]["id"],
        "ord": order["id"],
        "paid": paid["id"],
        "pi": ask_for(api, 500)["id"],
        "pm": shown("pm", method),
        "price": price,
        "prod": product,
        "re": refund(api, paid, 10).json["id"],
        "txn": api.get("balance_transactions").json["data"][0]["id"],
        "unknown": ids.show("cus", ids.new(NOW)),
        "wal": shown("wal", method.mandate.wallet),
    }


def form_of(params: dict[str, Any]) -> bytes:
    """A form with these parameters, as far as a form can say them."""
    try:
        return encode(params).encode()
    except UnicodeEncodeError:
        return b"a=" + repr(params).encode("utf-8", "replace")


def json_of(params: dict[str, Any]) -> bytes | None:
    """JSON with these parameters; None where our writer has no words for them."""
    try:
        return orjson.dumps(params)
    except (TypeError, orjson.JSONEncodeError):
        return None


class TestAnyBody:
    @cases(300)
    def test_is_answered(self, api, world, cases_max, proven):
        proven(cases_max)
        answered: Counter[int] = Counter()
        asked: Counter[str] = Counter()

        def check(data, door):
            method, address, params = door
            path = address.replace("{id}", world.get(PREFIXES.get(address.partition("/")[0], ""), world["unknown"]))
            sent = data.draw(bodies(params, world))
            if method != "POST":
                reply = api.request(method, path, query=form_of(sent).decode("ascii"))
            elif data.draw(st.booleans()):
                reply = api.request(method, path, form_of(sent), FORM)
            else:
                body = json_of(sent)
                assume(body is not None)
                reply = api.request(method, path, body, "application/json")
            answered[reply.status] += 1
            asked[f"{method} {address}"] += 1
            assert reply.status < 500, (method, path, sent)
            assert reply.status == 200 or (reply.error["code"] and reply.error["message"] and reply.error["doc_url"])

        each = max(cases_max // len(DOORS), 3)
        for number, door in enumerate(DOORS):
            options = settings(max_examples=each, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            seed(SEED + number)(options(given(st.data(), st.just(door))(check)))()

        # Proof that the words come near enough to be understood, and reach every door.
        assert answered[200] > cases_max // 20
        assert answered[400] > cases_max // 20
        assert len(asked) == len({(method, address) for method, address, _ in DOORS})
        books.assert_agree()

    @cases(200)
    def test_of_any_bytes_is_answered(self, api, cases_max, proven):
        proven(cases_max)

        @seed(SEED)
        @settings(max_examples=cases_max, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            st.binary(max_size=200) | st.text(alphabet='ab[]=&%+{}":,\\0 \n', max_size=80).map(str.encode),
            st.sampled_from([FORM, "application/json", "", "text/plain", "application/json; charset=x", ";;", "a/b/c"]),
            st.sampled_from([(method, address) for method, address, _ in DOORS if "{" not in address]),
        )
        def check(body, content_type, door):
            method, address = door
            reply = api.request(method, address, body, content_type)
            assert reply.status < 500
            assert reply.status == 200 or reply.error["code"]

        check()

        books.assert_agree()
