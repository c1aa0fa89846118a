"""The one Why: rules are pure functions with a version; a decision can be replayed.

    @rule("wallet_payment", version=1)
    def wallet_payment(inputs): return Verdict("declined", [Reason("insufficient_funds")])

Every version that ever decided stays registered, so that an old decision replays. A
reason has three wordings: for the customer, for the cashier and for the merchant.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions.models import Decision

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code, and the values its wording needs."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says. `near_miss` is what was missing by how much, `remedy` a stable code of what helps."""

    verdict: str
    reasons: Sequence[Reason] = ()
    near_miss: dict[str, Any] | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """One reason in three voices; each a lazily translated text with `{values}`, or one that counts one of them."""

    customer: Any
    cashier: Any
    merchant: Any


_rules: dict[tuple[str, int], Callable[[Inputs], Verdict]] = {}
_wordings: dict[str, Wording] = {}


class UnknownRule(LookupError):
    """A decision names a rule or a version that is not registered any more."""


def rule(name: str, *, version: int) -> Callable[[Callable[[Inputs], Verdict]], Callable[[Inputs], Verdict]]:
    """Register a pure function as a version of a rule."""

    def register(function: Callable[[Inputs], Verdict]) -> Callable[[Inputs], Verdict]:
        if (name, version) in _rules:
            raise ValueError(f"{name} version {version} is registered twice")
        _rules[name, version] = function
        return function

    return register


def words(code: str, *, customer: Any, cashier: Any, merchant: Any) -> None:
    """Register the three wordings of a reason."""
    _wordings[code] = Wording(customer, cashier, merchant)


def explain(reason: Reason | Mapping[str, Any], *, audience: str) -> str:
    """A reason in words, for `customer`, `cashier` or `merchant`, in the active language."""
    code = reason.code if isinstance(reason, Reason) else reason["code"]
    values = reason.values if isinstance(reason, Reason) else reason.get("values", {})
    # Of the text itself, not of its str: one that counts (ngettext_lazy) looks for its number among the values.
    return getattr(_wordings[code], audience).format(**values)


def latest(name: str) -> int:
    """The newest version of a rule. Raises UnknownRule."""
    versions = [version for known, version in _rules if known == name]
    if not versions:
        raise UnknownRule(name)
    return max(versions)


def evaluate(name: str, inputs: Inputs, *, version: int | None = None) -> Verdict:
    """Run a rule. Pure: the same inputs give the same verdict."""
    version = version or latest(name)
    if (name, version) not in _rules:
        raise UnknownRule(f"{name} version {version}")
    return _rules[name, version](inputs)


def record(
    name: str, inputs: Inputs, *, subject_id: UUID, now: datetime, expires_at: datetime | None = None
) -> tuple[Decision, Verdict]:
    """Decide and remember. This will write the decision in the open unit of work and return it with its verdict."""
    decision, verdict = draft(name, inputs, subject_id=subject_id, now=now, expires_at=expires_at)
    decision.save(force_insert=True)
    return decision, verdict


def draft(
    name: str, inputs: Inputs, *, subject_id: UUID, now: datetime, expires_at: datetime | None = None
) -> tuple[Decision, Verdict]:
    """Decide, and give the decision unsaved: for who writes many at once."""
    version = latest(name)
    canonical = canonical_json(inputs)
    # What is replayed is what was stored, so the rule sees the stored form the first time too.
    verdict = evaluate(name, orjson.loads(canonical), version=version)
    decision = Decision(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        rule=name,
        rule_version=version,
        subject_id=subject_id,
        inputs=orjson.loads(canonical),
        inputs_hash=hashlib.sha256(canonical).digest(),
        verdict=verdict.verdict,
        reasons=[asdict(reason) for reason in verdict.reasons],
        near_miss=verdict.near_miss,
        remedy=verdict.remedy,
        created_at=now,
        expires_at=expires_at,
    )
    return decision, verdict


def replay(decision: Decision) -> bool:
    """Whether the stored inputs, by the same version of the rule, still give the stored verdict and reasons.

    Raises UnknownRule where the version is gone.
    """
    if hashlib.sha256(canonical_json(decision.inputs)).digest() != bytes(decision.inputs_hash):
        return False
    again = evaluate(decision.rule, decision.inputs, version=decision.rule_version)
    return (
        again.verdict == decision.verdict
        and [asdict(reason) for reason in again.reasons] == decision.reasons
        and again.near_miss == decision.near_miss
        and again.remedy == decision.remedy
    )


def canonical_json(inputs: Inputs) -> bytes:
    """Sorted keys, no white space: equal inputs have equal bytes."""
    return orjson.dumps(dict(inputs), option=orjson.OPT_SORT_KEYS)
