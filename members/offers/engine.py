"""Price a cart: which offers meet it, in which order they apply, what each line gets. Pure.

Offers are found by product and category, so that a line meets only those that are for it.
Joint offers apply one after another in the stated order, each on what the former left; an
exclusive one stands alone. The customer gets whichever takes more off
(docs/algorithms/offers.md has the worked tables).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from members.offers import effects, frames
from members.offers.effects import State, Wish
from members.offers.frames import Applied, Cart, Code, Line, NearMiss, Offer, Priced, PricedLine
from members.offers.spreading import spread
from merchant_platform.kernel.decisions.rules import Reason
from merchant_platform.kernel.money import PPM, rate_of, split, step


@dataclass(slots=True)
class _Run:
    """One way to combine offers, and what came of it."""

    state: State
    # What is left of the whole cart.
    left_minor: int
    applied: list[Applied] = field(default_factory=list)
    refused: list[Reason] = field(default_factory=list)
    near_misses: list[NearMiss] = field(default_factory=list)

    @property
    def discount_minor(self) -> int:
        return sum(each.discount_minor for each in self.applied)

    @property
    def worth(self) -> tuple[int, int]:
        return self.discount_minor, sum(each.bonus_points for each in self.applied)


def price(cart: Cart, offers: Sequence[Offer]) -> Priced:
    """What a cart costs with these offers and its codes, and why."""
    lines = sorted(cart.lines, key=_canonical)
    named, refused = _named(cart, offers)
    meeting = _meeting(lines, [offer for offer in offers if _is_asked(offer, named)])
    able: list[Offer] = []
    for offer in sorted((offer for offer in offers if offer.id in meeting), key=lambda offer: offer.order):
        refusal = _refusal(offer, cart, named.get(offer.id))
        if refusal is None:
            able.append(offer)
        else:
            refused.append(refusal)
    refused += [
        _reason("offer_nothing_here", offer) for offer in offers if offer.id in named and offer.id not in meeting
    ]
    runs = [_run(cart, lines, [offer for offer in able if not offer.terms.is_exclusive], meeting, named)]
    runs += [_run(cart, lines, [offer], meeting, named) for offer in able if offer.terms.is_exclusive]
    # The first of equals: joint offers before an exclusive one, then the stated order.
    best = max(runs, key=lambda run: run.worth)
    for run in runs:
        if run is best:
            refused += run.refused
            continue
        refused += [
            Reason("offer_not_combined", {"offer": each.offer, "name": each.name, "better": _names(best)})
            for each in run.applied
        ] or run.refused
    return Priced(
        currency=cart.currency,
        lines=tuple(_priced(cart, lines, best)),
        applied=tuple(best.applied),
        refused=tuple(refused),
        near_misses=tuple(sorted(_near_misses(runs, best), key=_nearness)),
    )


def _canonical(line: Line) -> tuple[int, str, str, int, int, str]:
    """One order of lines whatever the asker's, so that the same things cost the same."""
    cost = -1 if line.cost_minor is None else line.cost_minor
    return -line.unit_minor, line.product or "", line.category, line.quantity, cost, line.key


def _named(cart: Cart, offers: Sequence[Offer]) -> tuple[dict[str, Code], list[Reason]]:
    """The code that leads to each offer, and what is to be said of the others."""
    known = {offer.id for offer in offers}
    named: dict[str, Code] = {}
    refused = []
    for code in cart.codes:
        if code.problem is not None or code.offer is None or code.offer not in known:
            refused.append(Reason(f"code_{code.problem or 'unknown'}", {"code": code.text}))
        elif code.offer in named:
            refused.append(Reason("code_same_offer", {"code": code.text, "other": named[code.offer].text}))
        else:
            named[code.offer] = code
    return named, refused


def _is_asked(offer: Offer, named: dict[str, Code]) -> bool:
    return offer.terms.trigger == frames.AUTOMATIC or offer.id in named


def _meeting(lines: Sequence[Line], offers: Iterable[Offer]) -> dict[str, list[int]]:
    """Offers by id, with the places of the lines that each is for."""
    by_product: dict[str, list[str]] = {}
    by_category: dict[str, list[str]] = {}
    everything: list[int] = list(range(len(lines)))
    found: dict[str, dict[int, None]] = {}
    met: dict[str, list[int]] = {}
    for offer in offers:
        terms = offer.terms
        if terms.kind == frames.BUNDLE:
            parts = terms.effect["parts"]
            products = [part["product"] for part in parts if part.get("product") is not None]
            categories = [part["category"] for part in parts if part.get("product") is None]
        elif not terms.products and not terms.categories:
            met[offer.id] = everything
            continue
        else:
            products, categories = list(terms.products), list(terms.categories)
        for product in products:
            by_product.setdefault(product, []).append(offer.id)
        for category in categories:
            by_category.setdefault(category, []).append(offer.id)
    for place, line in enumerate(lines):
        for offer_id in (*by_product.get(line.product or "", ()), *by_category.get(line.category, ())):
            found.setdefault(offer_id, {})[place] = None
    return {**met, **{offer_id: list(places) for offer_id, places in found.items()}}


def _refusal(offer: Offer, cart: Cart, code: Code | None) -> Reason | None:
    """Why an offer that meets the cart does not apply, before anything is reckoned."""
    terms = offer.terms
    if offer.problem is not None:
        return _reason(f"offer_{offer.problem}", offer)
    if terms.currency is not None and terms.currency != cart.currency:
        return _reason("offer_other_currency", offer, currency=terms.currency)
    if terms.stores and cart.store not in terms.stores:
        return _reason("offer_other_store", offer)
    if terms.member_tiers and _tier(offer, cart) is None:
        names = [cart.tier_names.get(each, "") for each in terms.member_tiers]
        return _reason("offer_other_tier", offer, tiers=", ".join(filter(None, names)) or "–")
    if terms.hours and not any(hours.holds(cart.weekday, cart.minute) for hours in terms.hours):
        return _reason("offer_other_hours", offer, hours=_hours(offer))
    if offer.uses_left is not None and offer.uses_left <= 0:
        return _reason("offer_used_up", offer)
    if offer.is_counted_by_customer and not cart.is_known:
        return _reason("offer_needs_customer", offer)
    if offer.customer_uses_left is not None and offer.customer_uses_left <= 0:
        return _reason("offer_used_by_customer", offer)
    if terms.is_first_only or (code is not None and code.is_first_only):
        if not cart.is_known:
            return _reason("offer_needs_customer", offer)
        if cart.has_bought:
            return _reason("offer_first_purchase_only", offer)
    return None


def _tier(offer: Offer, cart: Cart) -> str | None:
    """The name of the tier by which the customer may have an offer that is for some tiers alone."""
    return next((cart.member_tiers[each] for each in offer.terms.member_tiers if each in cart.member_tiers), None)


def _run(
    cart: Cart,
    lines: Sequence[Line],
    offers: Sequence[Offer],
    meeting: dict[str, list[int]],
    named: dict[str, Code],
) -> _Run:
    subtotals = [line.subtotal_minor for line in lines]
    run = _Run(State(lines, subtotals, [0] * len(lines), cart.currency, cart.features), sum(subtotals))
    for offer in offers:
        _apply(run, cart, offer, meeting[offer.id], named.get(offer.id))
    return run


def _apply(run: _Run, cart: Cart, offer: Offer, places: Sequence[int], code: Code | None) -> None:
    """Let one offer take its turn: wish, limit, spread, remember."""
    state, terms = run.state, offer.terms
    wished = effects.wish(offer, places, state)
    left_minor = run.left_minor
    missing = max(terms.minimum_minor, code.minimum_minor if code else 0) - left_minor
    if missing > 0:
        run.near_misses.append(NearMiss(offer.id, terms.name, cart.currency, missing, 0, wished.total_minor))
        run.refused.append(_below(offer, cart, missing, wished.total_minor))
        return
    run.near_misses += wished.near_misses
    if wished.refusal is not None or (wished.total_minor <= 0 and not wished.bonus_points):
        run.refused.append(_unmet(offer, cart, wished))
        return
    amount, limits = _limited(offer, wished, left_minor - cart.least_minor, cart.currency)
    if offer.budget_left_minor is not None and amount > offer.budget_left_minor:
        run.refused.append(_reason("offer_budget_spent", offer))
        return
    touched = sorted(wished.wants)
    floors = {i: max(state.floors[i], _floor(terms.margin_floor_ppm, state.lines[i])) for i in touched}
    rooms = [max(0, min(wished.wants[i], state.left[i] - floors[i])) for i in touched]
    weights = [wished.wants[i] for i in touched]
    parts = spread(amount, weights=weights, rooms=rooms, step=step(cart.currency))
    granted = sum(parts)
    run.left_minor -= granted
    if not granted and not wished.bonus_points:
        run.refused.append(_reason("offer_margin_kept" if amount else "offer_nothing_left", offer))
        return
    if granted < amount - amount % step(cart.currency):
        limits.append(Reason("reduced_by_margin", {"by_minor": amount - granted, "currency": cart.currency}))
    shares = {}
    for i, part in zip(touched, parts, strict=True):
        if part:
            state.left[i] -= part
            state.floors[i] = floors[i]
            shares[state.lines[i].key] = part
    head = _reason("offer_applied", offer, discount_minor=granted, currency=cart.currency)
    if (tier := _tier(offer, cart)) is not None:
        limits.insert(0, Reason("member_tier", {"tier": tier}))
    points = [Reason("points_granted", {"points": wished.bonus_points})] if wished.bonus_points else []
    run.applied.append(
        Applied(
            offer=offer.id,
            version=offer.version,
            name=terms.name,
            code=code.id if code else None,
            discount_minor=granted,
            units=wished.units,
            bonus_points=wished.bonus_points,
            shares=shares,
            costs=_costs(granted, terms.bearers),
            reasons=(head, *([wished.reason] if wished.reason else []), *points, *limits),
        )
    )


def _limited(offer: Offer, wished: Wish, most_minor: int, currency: str) -> tuple[int, list[Reason]]:
    """The wish within the offer's own limit and what must be left to pay."""
    amount, limits = max(0, min(wished.total_minor, most_minor)), []
    most = offer.terms.discount_max_minor
    if most is not None and amount > most:
        amount = most
        limits.append(Reason("reduced_to_limit", {"limit_minor": most, "currency": currency}))
    return amount, limits


def _floor(margin_floor_ppm: int | None, line: Line) -> int:
    """What a line must bring so that the margin stays, rounded up; nothing where the cost is not known."""
    if margin_floor_ppm is None or line.cost_minor is None:
        return 0
    return -(-line.cost_minor * line.quantity * PPM // (PPM - margin_floor_ppm))


def _costs(discount_minor: int, bearers: Sequence[tuple[str, int]]) -> dict[str, int]:
    if len(bearers) == 1:
        return {bearers[0][0]: discount_minor}
    parts = split(discount_minor, [weight for _, weight in bearers])
    return {bearer: part for (bearer, _), part in zip(bearers, parts, strict=True)}


def _unmet(offer: Offer, cart: Cart, wished: Wish) -> Reason:
    near = wished.near_misses[0] if wished.near_misses else None
    if wished.refusal == "offer_below_threshold" and near is not None:
        return _below(offer, cart, near.missing_minor, near.discount_minor)
    if wished.refusal == "offer_too_few" and near is not None:
        return _reason("offer_too_few", offer, missing_count=near.missing_count)
    if wished.refusal == "offer_too_few":
        return _reason("offer_incomplete", offer)
    return _reason(wished.refusal or "offer_nothing_left", offer)


def _below(offer: Offer, cart: Cart, missing_minor: int, discount_minor: int) -> Reason:
    return _reason(
        "offer_below_threshold",
        offer,
        missing_minor=missing_minor,
        discount_minor=discount_minor,
        currency=cart.currency,
    )


def _priced(cart: Cart, lines: Sequence[Line], best: _Run) -> Iterable[PricedLine]:
    """The lines as the asker gave them. Tax is on what is left after the discount."""
    left = {line.key: amount for line, amount in zip(lines, best.state.left, strict=True)}
    for line in cart.lines:
        yield PricedLine(
            key=line.key,
            subtotal_minor=line.subtotal_minor,
            discount_minor=line.subtotal_minor - left[line.key],
            tax_minor=rate_of(left[line.key], line.tax_ppm),
        )


def _near_misses(runs: Sequence[_Run], best: _Run) -> Iterable[NearMiss]:
    """Those of the way that was taken, and of another one where it would bring more."""
    for run in runs:
        for each in run.near_misses:
            if run is best or each.discount_minor > best.discount_minor:
                yield each


def _nearness(near: NearMiss) -> tuple[bool, int, int, str]:
    """Amounts before numbers of things, the least missing first."""
    return not near.missing_minor, near.missing_minor, near.missing_count, near.offer


def _reason(code: str, offer: Offer, **values: object) -> Reason:
    return Reason(code, {"offer": offer.id, "name": offer.terms.name, **values})


def _names(run: _Run) -> str:
    return ", ".join(each.name for each in run.applied)


def _hours(offer: Offer) -> str:
    return ", ".join(f"{_clock(each.from_minute)}–{_clock(each.to_minute)}" for each in offer.terms.hours)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
