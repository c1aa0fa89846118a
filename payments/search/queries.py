"""Search, in Stripe's query language, by plain equality and ranges that reach an index.

`status:"succeeded" AND metadata["order"]:"6735"`; clauses are joined by AND or by OR, not
both; `-` negates; numbers compare with `:`, `>`, `<`, `>=`, `<=`.
https://docs.stripe.com/search#search-query-language
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, Q, QuerySet

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.api.params import InvalidParameter, SearchParams
from merchant_platform.kernel.money import currencies
from payments.search.models import MetadataTerm

CLAUSES_MAX = 10
# No character can be read in two ways: a query that does not match is refused in one pass.
_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[a-z_]+)(?:\[\s*(?P<q>["'])(?P<key>(?:\\.|(?!(?P=q))[^\\])*)(?P=q)\s*\])?\s*"""
    r"""(?P<op>:|>=|<=|>|<|~)\s*(?:"(?P<text>(?:\\.|[^"\\])*)"|'(?P<text2>(?:\\.|[^'\\])*)'|(?P<bare>[^\s"']+))"""
)
_JOINT = re.compile(r"\s+(AND|OR)\s+|\s+", re.IGNORECASE)


class BadQuery(InvalidParameter):
    """The query cannot be read, or asks for a field that is not searched."""

    code = "search_query_invalid"


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    key: str | None
    operator: str
    value: str
    is_negative: bool
    # `null` without quotes: the object has no value there. In quotes it is a word like any other.
    is_null: bool = False


def _number(column: str) -> Callable[[Clause], Q]:
    def build(clause: Clause) -> Q:
        if not re.fullmatch(r"-?\d{1,18}", clause.value):
            raise _bad(f"Field '{clause.field}' compares with a whole number.")
        return Q(**{f"{column}{_LOOKUPS[clause.operator]}": int(clause.value)})

    return build


def _text(column: str, *, change: Callable[[str], str] = str, null: bool = True) -> Callable[[Clause], Q]:
    def build(clause: Clause) -> Q:
        _needs_exact_match(clause)
        if clause.is_null and null:
            return Q(**{f"{column}__isnull": True})
        return Q(**{column: change(clause.value)})

    return build


def _id(column: str, prefix: str) -> Callable[[Clause], Q]:
    def build(clause: Clause) -> Q:
        _needs_exact_match(clause)
        if clause.is_null:
            return Q(**{f"{column}__isnull": True})
        try:
            return Q(**{column: ids.parse(prefix, clause.value)})
        except ids.MalformedId:
            return Q(pk__in=[])

    return build


def _created(clause: Clause) -> Q:
    """An id carries its row's time, so a range of times is a range of ids."""
    if not re.fullmatch(r"\d{1,11}", clause.value):
        raise _bad("Field 'created' compares with Unix seconds.")
    seconds = int(clause.value)
    first, after = ids.first_at(clock.from_unix(seconds)), ids.first_at(clock.from_unix(seconds + 1))
    return {
        ":": Q(pk__gte=first, pk__lt=after),
        ">=": Q(pk__gte=first),
        ">": Q(pk__gte=after),
        "<": Q(pk__lt=first),
        "<=": Q(pk__lt=after),
    }[clause.operator]


def _currency(clause: Clause) -> Q:
    _needs_exact_match(clause)
    code = clause.value.upper()
    return Q(currency=code) if code in currencies() else Q(pk__in=[])


def _refunded(clause: Clause) -> Q:
    _needs_exact_match(clause)
    if clause.value not in ("true", "false"):
        raise _bad(f"Field '{clause.field}' is 'true' or 'false'.")
    refunded = Q(captured_minor__gt=0, refunded_minor=F("captured_minor"))
    return refunded if clause.value == "true" else ~refunded


# What the API calls a charge's status, and the attempt's own states behind it.
_CHARGE_STATUSES = {
    "succeeded": ("captured", "authorized"),
    "failed": ("declined", "voided"),
    "pending": ("created", "authorizing", "authenticating", "unknown"),
}


def _charge_status(clause: Clause) -> Q:
    _needs_exact_match(clause)
    return Q(status__in=_CHARGE_STATUSES.get(clause.value, ("",)))


def _needs_exact_match(clause: Clause) -> None:
    if clause.operator != ":":
        raise _bad(f"Field '{clause.field}' is compared with ':' (exact match).")


_LOOKUPS = {":": "", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}
FIELDS: dict[str, dict[str, Callable[[Clause], Q]]] = {
    "payment_intent": {
        "amount": _number("amount_minor"),
        "created": _created,
        "currency": _currency,
        "customer": _id("customer_id", "cus"),
        "status": _text("status", null=False),
    },
    "charge": {
        "amount": _number("amount_minor"),
        "created": _created,
        "currency": _currency,
        "customer": _id("customer_id", "cus"),
        "refunded": _refunded,
        "status": _charge_status,
    },
    "customer": {
        "created": _created,
        "email": _text("email_key", change=str.lower),
        "name": _text("name"),
        "phone": _text("phone"),
    },
}


def page(
    kind: str,
    rows: "QuerySet[Any]",
    params: SearchParams,
    *,
    url: str,
    render: Callable[[Sequence[Any]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """One page of a search result, newest first. `page` is the id of the last row before it. Raises BadQuery."""
    rows = rows.filter(condition(kind, params.query))
    if params.page is not None:
        prefix = rows.model.id_prefix
        try:
            rows = rows.filter(pk__lt=ids.parse(prefix, params.page))
        except ids.MalformedId as error:
            raise InvalidParameter("Invalid page token.", param="page") from error
    found: list[Model] = list(rows.order_by("-pk")[: params.limit + 1])
    shown = render(found[: params.limit])
    has_more = len(found) > params.limit
    return {
        "object": "search_result",
        "data": shown,
        "has_more": has_more,
        "next_page": shown[-1]["id"] if has_more else None,
        "url": url,
    }


def condition(kind: str, query: str) -> Q:
    """A query as a condition on the rows of one kind. Raises BadQuery."""
    clauses, is_any = parse(query)
    parts = [_condition(kind, clause) for clause in clauses]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole | part if is_any else whole & part
    return whole


def parse(query: str) -> tuple[list[Clause], bool]:
    """The clauses of a query, and whether any of them is enough. Raises BadQuery."""
    clauses: list[Clause] = []
    joints: set[str] = set()
    position = 0
    while True:
        match = _CLAUSE.match(query, position)
        if match is None:
            raise _bad(f"Cannot read the query at '{query[position : position + 40]}'.")
        value = match["text"] if match["text"] is not None else match["text2"]
        value = re.sub(r"\\(.)", r"\1", value) if value is not None else match["bare"]
        key = re.sub(r"\\(.)", r"\1", match["key"]) if match["key"] is not None else None
        is_null = match["bare"] == "null"
        clauses.append(Clause(match["field"], key, match["op"], value, bool(match["not"]), is_null))
        position = match.end()
        if not query[position:].strip():
            break
        joint = _JOINT.match(query, position)
        if joint is None:
            raise _bad(f"Cannot read the query at '{query[position : position + 40]}'.")
        joints.add((joint[1] or "AND").upper())
        position = joint.end()
    if len(joints) > 1:
        raise _bad("A query joins its clauses by AND or by OR, not by both.")
    if len(clauses) > CLAUSES_MAX:
        raise _bad(f"A query has up to {CLAUSES_MAX} clauses.")
    return clauses, joints == {"OR"}


def _condition(kind: str, clause: Clause) -> Q:
    if clause.field == "metadata" and clause.key is not None:
        if clause.operator != ":":
            raise _bad("Metadata is compared with ':' (exact match).")
        terms = MetadataTerm.objects.filter(kind=kind, key=clause.key)
        if clause.is_null:
            found = ~Q(pk__in=terms.values("object_id"))
        else:
            found = Q(pk__in=terms.filter(value=clause.value).values("object_id"))
    else:
        build = FIELDS[kind].get(clause.field)
        if build is None or clause.key is not None:
            known = ", ".join([*FIELDS[kind], "metadata"])
            raise _bad(f"Field '{clause.field}' is not searched; these are: {known}.")
        if clause.operator == "~":
            raise _bad("Substring search ('~') is not offered: compare with ':' (exact match).")
        found = build(clause)
    return ~found if clause.is_negative else found


def _bad(message: str) -> BadQuery:
    return BadQuery(message, param="query")
