"""A programme's terms: how points are earned, what they are worth, how long they last, and its tiers.

Pure values. Terms are stored as JSON, a version each; `read` checks them, so that what
is stored can be reckoned with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from merchant_platform.kernel.errors import Invalid

# How points are earned. What a kind needs, and the range of each number.
RULES: dict[str, dict[str, tuple[int, int]]] = {
    # points for every per_minor of money paid
    "spend": {"points": (1, 100_000), "per_minor": (1, 99_999_999)},
    # points for the first order of a day
    "visit": {"points": (1, 100_000)},
    # points for each one of a product
    "item": {"points": (1, 100_000)},
    # spend points times percent on the lines of a category
    "category": {"percent": (101, 1_000)},
    # spend points times percent from one hour to another, on some days of the week (0 is Monday)
    "hour": {"percent": (101, 1_000), "from": (0, 23), "to": (1, 24)},
    # spend points times percent for members of a tier
    "tier": {"percent": (101, 1_000)},
    # spend points times percent on a member's birthday
    "birthday": {"percent": (101, 1_000)},
    # points for a member's first order
    "first": {"points": (1, 1_000_000)},
}
WORDS = {"item": "product", "category": "category", "tier": "tier"}
ROLLING, CALENDAR, LIFETIME = "rolling", "calendar", "lifetime"
WINDOWS = (ROLLING, CALENDAR, LIFETIME)
SPEND, POINTS = "spend", "points"
MEASURES = (SPEND, POINTS)
RULES_MAX, TIERS_MAX, BENEFITS_MAX, NAME_MAX = 30, 8, 8, 100


class BadTerms(Invalid):
    """Terms that nobody could keep."""

    code = "programme_terms_invalid"


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier: reached with `threshold` in the window, counted in minor units or in points."""

    key: str
    name: str
    threshold: int
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What stands in a programme. Rules are plain mappings, since decisions store them whole."""

    rules: tuple[Mapping[str, Any], ...] = ()
    tiers: tuple[Tier, ...] = ()
    # What counts towards a tier, and over which time.
    tier_by: str = SPEND
    tier_window: str = ROLLING
    tier_days: int = 365
    grace_days: int = 30
    # Points can be spent once their order's refund window is over.
    pending_days: int = 7
    # How long they can then be spent; None: for ever. Members are told some days before.
    lifetime_days: int | None = 365
    notice_days: int = 30
    # What they are worth: so many points pay so much. 0 points: they pay for rewards alone.
    redeem_points: int = 100
    redeem_minor: int = 100
    is_transferable: bool = True

    def to_json(self) -> dict[str, Any]:
        """As it is stored: lists and mappings."""
        return {
            **asdict(self),
            "rules": [dict(rule) for rule in self.rules],
            "tiers": [{**asdict(tier), "benefits": list(tier.benefits)} for tier in self.tiers],
        }


@dataclass(slots=True)
class _Reader:
    """Reads one mapping, field by field, and refuses what is left over."""

    given: Mapping[str, Any]
    param: str
    seen: set[str] = field(default_factory=set)

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        value = self._take(name, default)
        if type(value) is not int or not low <= value <= high:
            raise BadTerms(f"{self._at(name)} is a whole number from {low} to {high}.", param=self._at(name))
        return value

    def text(self, name: str, *, among: Sequence[str] | None = None, default: str | None = None) -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= NAME_MAX or "\x00" in value:
            raise BadTerms(f"{self._at(name)} is a text of 1 to {NAME_MAX} characters.", param=self._at(name))
        if among is not None and value not in among:
            raise BadTerms(f"{self._at(name)} is one of {', '.join(among)}.", param=self._at(name))
        return value.strip()

    def flag(self, name: str, default: bool) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise BadTerms(f"{self._at(name)} is true or false.", param=self._at(name))
        return value

    def items(self, name: str, most: int) -> Sequence[Any]:
        value = self._take(name, ())
        if not isinstance(value, list | tuple) or len(value) > most:
            raise BadTerms(f"{self._at(name)} is a list of at most {most}.", param=self._at(name))
        return value

    def end(self) -> None:
        unknown = sorted(set(self.given) - self.seen)
        if unknown:
            raise BadTerms(f"Nobody knows {self._at(str(unknown[0]))}.", param=self._at(str(unknown[0])))

    def _take(self, name: str, default: Any) -> Any:
        self.seen.add(name)
        return self.given.get(name, default)

    def _at(self, name: str) -> str:
        return f"{self.param}[{name}]" if self.param else name


def read(given: Any) -> Terms:
    """Terms from JSON; what is not named has its default. Raises BadTerms, which names what is wrong."""
    reader = _Reader(_mapping(given, ""), "")
    tiers = [_tier(each, f"tiers[{place}]") for place, each in enumerate(reader.items("tiers", TIERS_MAX))]
    if len({tier.key for tier in tiers}) != len(tiers) or len({tier.threshold for tier in tiers}) != len(tiers):
        raise BadTerms("Each tier has a key and a threshold of its own.", param="tiers")
    rules = [_rule(each, f"rules[{place}]") for place, each in enumerate(reader.items("rules", RULES_MAX))]
    _check_tier_names(rules, tiers)
    has_end = reader.given.get("lifetime_days", 365) is not None
    reader.seen.add("lifetime_days")
    terms = Terms(
        rules=tuple(rules),
        tiers=tuple(sorted(tiers, key=lambda tier: tier.threshold)),
        tier_by=reader.text("tier_by", among=MEASURES, default=SPEND),
        tier_window=reader.text("tier_window", among=WINDOWS, default=ROLLING),
        tier_days=reader.whole("tier_days", 1, 3_650, 365),
        grace_days=reader.whole("grace_days", 0, 365, 30),
        pending_days=reader.whole("pending_days", 0, 365, 7),
        lifetime_days=reader.whole("lifetime_days", 1, 36_500, 365) if has_end else None,
        notice_days=reader.whole("notice_days", 0, 365, 30),
        redeem_points=reader.whole("redeem_points", 0, 1_000_000, 100),
        redeem_minor=reader.whole("redeem_minor", 0, 99_999_999, 100),
        is_transferable=reader.flag("is_transferable", True),
    )
    if bool(terms.redeem_points) != bool(terms.redeem_minor):
        raise BadTerms("Points that pay have both a number and a worth.", param="redeem_minor")
    reader.end()
    return terms


def _tier(given: Any, param: str) -> Tier:
    reader = _Reader(_mapping(given, param), param)
    benefits = reader.items("benefits", BENEFITS_MAX)
    if any(not isinstance(each, str) or not 1 <= len(each) <= NAME_MAX or "\x00" in each for each in benefits):
        raise BadTerms("A benefit is a text.", param=f"{param}[benefits]")
    tier = Tier(
        key=reader.text("key"),
        name=reader.text("name"),
        threshold=reader.whole("threshold", 1, 999_999_999),
        benefits=tuple(benefits),
    )
    reader.end()
    return tier


def _rule(given: Any, param: str) -> dict[str, Any]:
    reader = _Reader(_mapping(given, param), param)
    kind = reader.text("kind", among=list(RULES))
    rule: dict[str, Any] = {"kind": kind}
    for name, (low, high) in RULES[kind].items():
        rule[name] = reader.whole(name, low, high)
    if kind in WORDS:
        rule[WORDS[kind]] = reader.text(WORDS[kind])
    if kind == "hour":
        if rule["to"] <= rule["from"]:
            raise BadTerms("The hours end after they begin.", param=f"{param}[to]")
        days = reader.items("weekdays", 7)
        if any(type(day) is not int or not 0 <= day <= 6 for day in days) or len(set(days)) != len(days):
            raise BadTerms("Days of the week are 0 (Monday) to 6.", param=f"{param}[weekdays]")
        rule["weekdays"] = sorted(days)
    reader.end()
    return rule


def _check_tier_names(rules: Sequence[Mapping[str, Any]], tiers: Sequence[Tier]) -> None:
    known = {tier.key for tier in tiers}
    for place, rule in enumerate(rules):
        if rule["kind"] == "tier" and rule["tier"] not in known:
            raise BadTerms(f"There is no tier '{rule['tier']}'.", param=f"rules[{place}][tier]")


def _mapping(given: Any, param: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadTerms("This is a mapping of names to values.", param=param or None)
    return given
