"""Is an object what the unmodified `stripe` SDK expects? The SDK's own annotations are the judge.

    assert problems(api.get("charges/ch_...").json) == []

Every annotated key of an object must be there, null where it does not apply: a program
that reads `charge.outcome` must not meet an AttributeError. Keys of products that this
platform does not have may be absent. Objects inside (expanded, listed, or what an event
tells) are held to the same; parts without a name of their own need their required keys.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import NoneType
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject

# Objects of ours, which the SDK reads without knowing them, and the events that tell of them.
OURS = {
    *("order", "order_line", "refund_line", "wallet", "wallet_transaction"),
    *("offer", "offer.preview", "offer.redemption"),
    *("webhook_attempt", "webhook_backfill", "webhook_delivery"),
    *("metric", "metric_catalogue", "metric_report", "report"),
}
OUR_EVENTS = {"offer.created", "offer.redeemed", "offer.updated", "order.created"}

# What may be absent: it belongs to products that this platform does not have.
ABSENT_ANYWHERE = {"account", "context", "currency_options", "customer_account", "deleted", "presentment_details"}
ABSENT = {
    "balance": {"connect_reserved", "instant_available", "issuing", "refund_and_dispute_prefunding"},
    "charge": {"level3", "radar_options"},
    "customer": {"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax_ids"},
    "payment_intent": {
        *("agent_details", "allocated_funds", "async_workflows", "hooks", "managed_payments", "payment_record"),
    },
    "price": {"tiers"},
    "product": {"tax_details"},
    # Shown by the answer that makes it, and never again.
    "webhook_endpoint": {"secret"},
}
# A payment method has a part for each type, and only its own is there.
ONE_OF_MANY = {"payment_method"}
# The SDK allows any text here, for words to come; we say none that it does not know.
CLOSED = {"cancellation_reason", "capture_method", "confirmation_method", "status", "tax_behavior"}


def problems(obj: dict[str, Any]) -> list[str]:
    """Every way in which an API object or list departs from the SDK's types, a line each."""
    return list(_object(obj, obj.get("object", "")))


def _object(obj: dict[str, Any], path: str) -> Iterator[str]:
    name = obj.get("object")
    if name in OURS:
        return
    if obj.get("deleted") is True:
        yield from (f"{path}.{key}: missing" for key in ("id", "object") if key not in obj)
        return
    cls = class_of(name)
    if cls is None:
        yield f"{path}.object: {name!r} is neither the SDK's nor ours"
        return
    yield from _members(obj, cls, path, whole=str(name))
    if name == "event":
        yield from _object(obj["data"]["object"], f"{path}.data.object")


def class_of(name: Any) -> type[StripeObject] | None:
    """The SDK's class for an `object` value."""
    if name not in OBJECT_CLASSES:
        return None
    module, attribute = OBJECT_CLASSES[name]
    return getattr(importlib.import_module(module), attribute)


def _members(value: dict[str, Any], cls: type, path: str, *, whole: str | None = None) -> Iterator[str]:
    """The members of an object; `whole` is its name where it is one, and not only a part of one."""
    for name, annotation in _annotations(cls).items():
        if name in value:
            if (whole, name) == ("event", "type") and value[name] in OUR_EVENTS:
                continue
            if (whole, name) == ("search_result", "next_page") and value[name] is None:
                continue  # The SDK forgets the last page in its types, not in its code.
            yield from _value(value[name], annotation, cls, f"{path}.{name}")
        elif NoneType not in get_args(annotation) or (whole and _must_show(whole, name)):
            yield f"{path}.{name}: missing"


def _annotations(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, StripeObject) and base is not StripeObject:
            found |= inspect.get_annotations(base)
    return {name: each for name, each in found.items() if name.islower() and not name.startswith("_")}


def _must_show(whole: str, name: str) -> bool:
    return whole not in ONE_OF_MANY and name not in ABSENT_ANYWHERE | ABSENT.get(whole, set())


def _value(value: Any, annotation: Any, owner: type, path: str) -> Iterator[str]:
    annotation = _resolved(annotation, owner)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any or isinstance(annotation, TypeVar):
        if isinstance(value, dict) and isinstance(value.get("object"), str):
            yield from _object(value, path)
    elif origin is Union:
        yield from _union(value, arguments, owner, path)
    elif origin is Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is not one of {arguments}"
    elif origin is list:
        if isinstance(value, list):
            for position, item in enumerate(value):
                yield from _value(item, arguments[0], owner, f"{path}[{position}]")
        else:
            yield _expected("a list", value, path)
    else:
        yield from _plain(value, origin or annotation, path)


def _union(value: Any, choices: tuple[Any, ...], owner: type, path: str) -> Iterator[str]:
    words = [word for choice in choices if get_origin(choice) is Literal for word in get_args(choice)]
    if words and isinstance(value, str) and path.rpartition(".")[2] in CLOSED and value not in words:
        yield f"{path}: {value!r} is not one of {tuple(words)}"
        return
    attempts = [list(_value(value, choice, owner, path)) for choice in choices]
    if all(attempts):
        # The choice that comes nearest says most: it got furthest, or it is at least of the right kind.
        yield from max(attempts, key=lambda lines: (max(line.count(".") for line in lines), "expected" not in lines[0]))


def _plain(value: Any, expected: type, path: str) -> Iterator[str]:
    if issubclass(expected, StripeObject):
        if not isinstance(value, dict):
            yield _expected("an object", value, path)
        elif issubclass(expected, UntypedStripeObject):
            return
        elif not isinstance(value.get("object"), str):
            yield from _members(value, expected, path)
        elif not issubclass(class_of(value["object"]) or expected, expected):
            yield f"{path}: {value['object']!r} is no {expected.__name__}"
        else:
            yield from _object(value, path)
    elif expected is Decimal:
        if not isinstance(value, str):
            yield _expected("a decimal in a string", value, path)
    elif expected is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _expected("a number", value, path)
    elif not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        yield _expected(expected.__name__, value, path)


def _resolved(annotation: Any, owner: type) -> Any:
    """What a name in quotes stands for: in the class's module, or in the SDK as a whole."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    head, *rest = annotation.split(".")
    found = getattr(sys.modules[owner.__module__], head, None) or getattr(stripe, head, Any)
    for name in rest:
        found = getattr(found, name, Any)
    return found


def _expected(what: str, value: Any, path: str) -> str:
    return f"{path}: expected {what}, got {type(value).__name__}"
