"""The API reference, read off the same description that /v1/schema gives to programs.

A resource is a page; an operation is a part of it: its address, its parameters one by
one, what it answers, how it refuses, and an example with curl and in Python. Nothing
here is written twice: what a door says of itself is what stands on the page.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from merchant_platform.docs import prose
from merchant_platform.docs.snippets import CURL, JSON, PYTHON, Snippet
from merchant_platform.kernel import ids
from merchant_platform.kernel.api.openapi import document

DEPTH_MAX = 4
# What a form says of itself in every operation is told once, in the guide.
_EVERYWHERE = frozenset({"expand"})
# Examples for parameters that an operation requires; any other text is three dots, to be filled in.
_EXAMPLES: dict[str, Any] = {
    "amount": 18600,
    "balance": 50000,
    "created": {"gte": 1767225600, "lt": 1767312000},
    "currency": "cny",
    "customer": "cus_...",
    "enabled_events": ["payment_intent.succeeded"],
    "event": "evt_...",
    "into": "mem_...",
    "line_items": [{"description": "Coffee beans 250 g", "unit_amount": 8800, "quantity": 2}],
    "metric": "net_sales",
    "mode": "payment",
    "member": "mem_...",
    "name": "Coffee beans 250 g",
    "payment_code": "888888888888888888",
    "payment_method": "pm_...",
    "product": "prod_...",
    "promotion": {"type": "coupon", "coupon": "coupon_..."},
    "query": 'metadata["table"]:"7"',
    "type": "card",
    "unit_amount": 8800,
    "url": "https://example.com/webhooks",
}
# Where an operation requires nothing and an empty request says nothing.
_SAID: dict[str, dict[str, Any]] = {
    "POST_charges_id": {"metadata": {"table": "7"}},
    "POST_checkout_sessions": {
        "mode": "payment",
        "line_items": [{"price": "price_...", "quantity": 2}],
        "success_url": "https://example.com/thanks",
    },
    "POST_checkout_sessions_id": {"metadata": {"table": "7"}},
    "POST_coupons": {"id": "SPRING25", "percent_off": 25, "max_redemptions": 100},
    "POST_coupons_id": {"name": "Spring"},
    "POST_customers": {"name": "Lin Mei"},
    "POST_customers_id": {"email": "lin.mei@example.com"},
    "POST_members": {"name": "Lin Mei", "phone": "+86 138 0013 8000", "tags": ["regular"]},
    "POST_members_id": {"household": "Lin"},
    "POST_points_adjustments": {"member": "mem_...", "points": 100, "reason": "We were late"},
    "POST_points_transfers": {"sender": "mem_...", "recipient": "mem_...", "points": 100},
    "POST_rewards": {"name": "A coffee", "points": 500},
    "POST_rewards_id": {"active": False},
    "POST_offers_preview": {
        "currency": "cny",
        "customer": "cus_...",
        "codes": ["WELCOME"],
        "line_items": [{"price": "price_...", "quantity": 2}],
    },
    "POST_payment_intents_id": {"metadata": {"table": "7"}},
    "POST_payment_intents_id_confirm": {"payment_method": "pm_..."},
    "POST_payment_methods": {
        "type": "card",
        "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"},
    },
    "POST_payment_methods_id": {"metadata": {"table": "7"}},
    "POST_prices_id": {"active": False},
    "POST_products_id": {"name": "Coffee beans 500 g"},
    "POST_promotion_codes": {"promotion": {"type": "coupon", "coupon": "coupon_..."}, "code": "HELLO"},
    "POST_promotion_codes_id": {"active": False},
    "POST_reports": {"report_type": "sales", "since": "2026-02-01", "until": "2026-02-28", "format": "xlsx"},
    "POST_refunds": {"payment_intent": "pi_..."},
    "POST_refunds_id": {"metadata": {"table": "7"}},
    "POST_stored_value_cards": {"currency": "cny", "amount": 30000, "bonus_amount": 3000},
    "POST_stored_value_cards_id": {"metadata": {"table": "7"}},
    "POST_stored_value_cards_id_reload": {"amount": 30000, "bonus_amount": 3000},
    "POST_setup_intents": {"customer": "cus_...", "payment_method": "pm_card_visa", "confirm": True},
    "POST_setup_intents_id": {"metadata": {"table": "7"}},
    "POST_setup_intents_id_confirm": {"payment_method": "pm_card_visa"},
    "POST_webhook_endpoints_id": {"disabled": False},
}
# Ours: the SDK has no method for them, and sends them all the same.
_NOT_IN_SDK = (
    "member_duplicates",
    "members",
    "metrics",
    "offers",
    "orders",
    "payment_codes",
    "points",
    "redemptions",
    "reports",
    "rewards",
    "stored_value_cards",
    "tiers",
    "wallets",
    "test_helpers/wallets",
)
_NOT_IN_SDK_VERBS = ("rotate_secret", "deliveries", "resend", "backfill", "test")
_METHODS = {"GET": "get", "POST": "post", "DELETE": "delete"}
_IN_ADDRESS = re.compile(r"{(\w+)}")
OBJECTS = Path(__file__).with_name("objects.json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, nested ones by their brackets."""

    name: str
    kind: Any
    is_required: bool
    choices: tuple[str, ...] = ()
    bounds: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    anchor: str
    method: str
    address: str
    summary: str
    permission: str
    parameters: tuple[Parameter, ...]
    returns: str
    is_list: bool
    statuses: tuple[tuple[int, str], ...]
    curl: Snippet
    python: Snippet

    @property
    def title(self) -> SafeString:
        """What it does, in the reader's language."""
        return prose.html(gettext(self.summary))

    @property
    def shown_as(self) -> dict[str, str]:
        """Where the choice of another language comes back to."""
        return {"name": self.anchor}

    @property
    def path_parts(self) -> list[str]:
        return _IN_ADDRESS.findall(self.address)


@dataclass(frozen=True, slots=True)
class Resource:
    """What a page is about: operations under one name."""

    name: str
    operations: tuple[Operation, ...]

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def examples(self) -> list[Snippet]:
        """The objects that its operations answer, as they are."""
        names = dict.fromkeys(each.returns for each in self.operations)
        return [
            Snippet(name, JSON, json.dumps(objects()[name], indent=2, ensure_ascii=False))
            for name in names
            if name in objects()
        ]


@cache
def resources() -> dict[str, Resource]:
    """Every resource by its name, in the order of their names."""
    described = document()
    schemas = described["components"]["schemas"]
    found: dict[str, list[Operation]] = {}
    for address, methods in described["paths"].items():
        for method, said in methods.items():
            found.setdefault(said["tags"][0], []).append(_operation(address, method.upper(), said, schemas))
    return {name: Resource(name, tuple(_sorted(found[name]))) for name in sorted(found)}


@cache
def objects() -> dict[str, Any]:
    """An example of every object, by its name. A test holds each of them against what the API answers."""
    return json.loads(OBJECTS.read_text()) if OBJECTS.exists() else {}


def search(query: str) -> list[tuple[Resource, list[Operation]]]:
    """The operations that every word of a query is in: in the address, the summary, a parameter or the object."""
    words = query.lower().split()

    def has(each: Operation) -> bool:
        names = " ".join(parameter.name for parameter in each.parameters)
        text = f"{each.method} {each.address} {each.summary} {gettext(each.summary)} {each.returns} {names}".lower()
        return all(word in text for word in words)

    found = [(resource, [each for each in resource.operations if has(each)]) for resource in resources().values()]
    return [(resource, operations) for resource, operations in found if operations]


def _operation(address: str, method: str, said: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    if method == "POST":
        body = said["requestBody"]["content"]["application/json"]["schema"]
        parameters = tuple(_parameters(body, schemas))
    else:
        asked = [each for each in said["parameters"] if each["in"] == "query"]
        parameters = tuple(
            row
            for each in asked
            if each["name"] not in _EVERYWHERE
            for row in _rows(each["name"], each["schema"], each["required"], schemas, 0)
        )
    answer = said["responses"]["200"]["content"]["application/json"]["schema"]
    is_list = "$ref" not in answer
    reference = answer["properties"]["data"]["items"]["$ref"] if is_list else answer["$ref"]
    statuses = tuple(
        (int(status), each["description"]) for status, each in said["responses"].items() if status != "200"
    )
    given = _SAID.get(said["operationId"]) or _required(parameters)
    return Operation(
        anchor=said["operationId"].lower().replace("_", "-"),
        method=method,
        address=address,
        summary=said["summary"],
        permission=said["x-permission"],
        parameters=parameters,
        returns=reference.rpartition("/")[2],
        is_list=is_list,
        statuses=statuses,
        curl=Snippet(said["operationId"], CURL, _in_curl(address, method, given), has_choice=True),
        python=Snippet(said["operationId"], PYTHON, _in_python(address, method, given), has_choice=True),
    )


def _sorted(operations: list[Operation]) -> list[Operation]:
    """As one reads of them: make, read, change, list, then what else can be done."""
    order = {("POST", 0): 0, ("GET", 1): 1, ("POST", 1): 2, ("GET", 0): 3, ("DELETE", 1): 4}

    def place(each: Operation) -> tuple[int, str]:
        tail = each.address.rpartition("/")[2]
        is_plain = tail.startswith("{") or not each.path_parts
        return order.get((each.method, len(each.path_parts)), 5) if is_plain else 6, each.address

    return sorted(operations, key=place)


def _parameters(schema: dict[str, Any], schemas: dict[str, Any]) -> list[Parameter]:
    shape = _resolved(schema, schemas)
    required = set(shape.get("required", ()))
    return [
        row
        for name, each in shape.get("properties", {}).items()
        if name not in _EVERYWHERE
        for row in _rows(name, each, name in required, schemas, 0)
    ]


def _rows(name: str, schema: dict[str, Any], is_required: bool, schemas: dict[str, Any], depth: int) -> list[Parameter]:
    """A parameter and those inside it."""
    shape = _resolved(schema, schemas)
    inner = _resolved(shape.get("items", {}), schemas) if shape.get("type") == "array" else shape
    rows = [
        Parameter(
            name=name,
            kind=_kind(shape, inner),
            is_required=is_required,
            choices=_choices(inner),
            bounds=_bounds(shape),
            default=_default(schema),
        )
    ]
    if depth < DEPTH_MAX:
        prefix = f"{name}[0]" if shape.get("type") == "array" else name
        needed = set(inner.get("required", ()))
        for part, each in inner.get("properties", {}).items():
            rows += _rows(f"{prefix}[{part}]", each, part in needed, schemas, depth + 1)
    return rows


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A shape without its references, and without the empty value that stands for taking it away."""
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            told = [each for each in schema["anyOf"] if each.get("type") != "null"]
            if len(told) != 1:
                return {**told[0], **schema, "anyOf": told} if told else {}
            schema = told[0]
        else:
            return schema


def _kind(shape: dict[str, Any], inner: dict[str, Any]) -> Any:
    kinds = {
        "string": _("text"),
        "integer": _("integer"),
        "boolean": _("true or false"),
        "object": _("mapping"),
        "array": _("list of mappings") if inner.get("type") == "object" else _("list"),
    }
    return kinds.get(shape.get("type", ""), _("text"))


def _choices(shape: dict[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, shape.get("enum", [shape["const"]] if "const" in shape else ())))


def _bounds(shape: dict[str, Any]) -> str:
    """`1–100` of a number, `≤ 255` of a length."""
    if "minimum" in shape or "maximum" in shape:
        return f"{shape.get('minimum', '')}–{shape.get('maximum', '')}"
    return f"≤ {shape['maxLength']}" if "maxLength" in shape else ""


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    return "" if value in (None, "", [], {}) else json.dumps(value)


def _required(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """What must be said, with a value to see."""
    return {
        each.name: _EXAMPLES.get(each.name, each.choices[0] if each.choices else "...")
        for each in parameters
        if each.is_required and "[" not in each.name
    }


def _in_curl(address: str, method: str, given: dict[str, Any]) -> str:
    head = (
        {"GET": "curl -G", "POST": "curl", "DELETE": "curl -X DELETE"}[method] if given or method != "GET" else "curl"
    )
    bare = " -X POST" if method == "POST" and not given else ""
    pairs = [pair for name, value in given.items() for pair in _pairs(name, value)]
    lines = [f'{head} $API{_filled(address)} -u "$KEY:"{bare}', *(f"  {_flag(name, value)}" for name, value in pairs)]
    return " \\\n".join(lines)


def _flag(name: str, value: str) -> str:
    pair = f"{name}={value}"
    flag = "--data-urlencode" if re.search(r"[\"&+% ]", value) else "-d"
    return f"{flag} {pair}" if re.fullmatch(r"[\w.:/=-]+", pair) else f"{flag} '{pair}'"


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for inner, item in value.items() for pair in _pairs(f"{name}[{inner}]", item)]
    if isinstance(value, list):
        return [pair for place, item in enumerate(value) for pair in _pairs(f"{name}[{place}]", item)]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]


def _in_python(address: str, method: str, given: dict[str, Any]) -> str:
    path = address.removeprefix("/v1/")
    parts = path.split("/")
    if path.startswith(_NOT_IN_SDK) or parts[-1] in _NOT_IN_SDK_VERBS:
        said = "".join(f", {name}={_literal(value)}" for name, value in given.items())
        return f'client.raw_request("{_METHODS[method]}", "{_filled(address)}"{said})'
    names = [part for part in parts if not part.startswith("{")]
    has_id = any(part.startswith("{") for part in parts)
    identifier = [_literal(_id_of(path))] if has_id else []
    is_verb = has_id and not parts[-1].startswith("{")
    if is_verb and method == "POST":
        call = [*names[:-1], names[-1]]
    elif is_verb:
        call = [*names, "list"]
    elif parts[-1] == "search":
        call = [*names[:-1], "search"]
    else:
        verbs = {("GET", True): "retrieve", ("GET", False): "list", ("POST", True): "update"}
        verb = verbs.get((method, has_id), "create" if method == "POST" else "delete")
        call = [*names, "retrieve" if names == ["balance"] else verb]
    arguments = [*identifier, *([_literal(given)] if given else [])]
    return f"client.v1.{'.'.join(call)}({', '.join(arguments)})"


def _literal(value: Any) -> str:
    """A value as Python writes it, with the quotes of this house."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if '"' not in value else repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(name)}: {_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)


def _filled(address: str) -> str:
    return _IN_ADDRESS.sub(_id_of(address.removeprefix("/v1/")), address)


def _id_of(path: str) -> str:
    """The blank for the id in an address: `cus_...` under customers."""
    kind = path.partition("/{")[0].rpartition("test_helpers/")[2].replace("/", " ").replace("_", " ").removesuffix("s")
    named = {
        "checkout session": "cs_test",
        "coupon": "coupon",
        "member duplicate": "dup",
        "redemption": "rdm",
        "stored value card": "svc",
    }
    return named.get(kind, _prefixes().get(kind, "id")) + "_..."


@cache
def _prefixes() -> dict[str, str]:
    return {kind: prefix for prefix, kind in ids.PREFIXES.items()}


def address() -> str:
    """Where the API is."""
    return settings.PUBLIC_URL
