"""The catalogue of metrics: what each number is called, what it is, its unit, and what it is summed from.

A page, a file and the API show a metric by its name here, so that one name is one number
everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.facts.cubes import ABANDONED, APPROVED, ATTEMPTS, DECLINED, PAYMENTS, SALES, Cube

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text

Sums = Mapping[str, int]
# Minor units of a currency, a number of things, or a part of a million.
MONEY, COUNT, SHARE = "money", "count", "share"
# What a metric can be kept apart by, as the API and addresses say it, and the dimension of the facts.
WHERE_AND_HOW = {"store": "store_id", "method": "method", "brand": "brand"}
SALES_BY = {**WHERE_AND_HOW, "category": "category"}
ATTEMPTS_BY = {**WHERE_AND_HOW, "outcome": "outcome", "reason": "reason"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One number. `of` sums is None where there is nothing to divide by. `source` are the rows behind it."""

    name: str
    title: "Text"
    definition: "Text"
    unit: str
    source: str
    cube: Cube
    of: Callable[[Sums], int | None]
    by: Mapping[str, str]


def part(count: int, whole: int) -> int | None:
    """How many of a million."""
    return count * 1_000_000 // whole if whole else None


def average(sum_minor: int, count: int) -> int | None:
    """To the nearest unit."""
    return (sum_minor + count // 2) // count if count else None


def _sales(name: str, title: "Text", definition: "Text", unit: str, of: Callable[[Sums], int | None]) -> Metric:
    return Metric(name, title, definition, unit, "balance_transaction", SALES, of, SALES_BY)


def _payments(name: str, title: "Text", definition: "Text", unit: str, of: Callable[[Sums], int | None]) -> Metric:
    return Metric(name, title, definition, unit, "payment_intent", PAYMENTS, of, WHERE_AND_HOW)


def _attempts(name: str, title: "Text", definition: "Text", unit: str, of: Callable[[Sums], int | None]) -> Metric:
    return Metric(name, title, definition, unit, "charge", ATTEMPTS, of, ATTEMPTS_BY)


_ALL: Sequence[Metric] = (
    _sales(
        "gross_sales",
        _("Gross sales"),
        _("What was sold before discounts: all that was collected in the period, and the discounts given on it."),
        MONEY,
        lambda s: s["collected_minor"] + s["discounts_minor"],
    ),
    _sales(
        "discounts",
        _("Discounts"),
        _("What was taken off the prices of what was sold. Of a payment in parts, each part has its share."),
        MONEY,
        lambda s: s["discounts_minor"],
    ),
    _sales(
        "refunds",
        _("Refunds"),
        _("What was given back in the period, whenever it was sold; refunds that failed came back."),
        MONEY,
        lambda s: s["refunded_minor"],
    ),
    _sales(
        "net_sales",
        _("Net sales"),
        _("Gross sales less discounts and refunds: what customers paid and did not get back."),
        MONEY,
        lambda s: s["collected_minor"] - s["refunded_minor"],
    ),
    _sales(
        "tax",
        _("Tax included"),
        _("The tax that is part of net sales, as the order lines say it; what was refunded took its tax along."),
        MONEY,
        lambda s: s["tax_minor"],
    ),
    _sales(
        "fees",
        _("Fees"),
        _("What the platform charged for the payments of the period, less what it gave back with refunds."),
        MONEY,
        lambda s: s["fees_minor"],
    ),
    _sales(
        "net_proceeds",
        _("Net after fees"),
        _("Net sales less fees: by so much sales changed the balance."),
        MONEY,
        lambda s: s["collected_minor"] - s["refunded_minor"] - s["fees_minor"],
    ),
    _sales(
        "sales_count",
        pgettext_lazy("how many", "Sales"),
        _("How many times money was collected. A payment that is captured in parts counts once a part."),
        COUNT,
        lambda s: s["charges_count"],
    ),
    _sales(
        "items_sold",
        _("Items sold"),
        _("How many pieces were sold, before returns; of an order that is paid in part, that part of them."),
        COUNT,
        lambda s: (s["items_milli"] + 500) // 1000,
    ),
    _sales(
        "average_sale",
        _("Average sale"),
        _("What was collected divided by the number of sales."),
        MONEY,
        lambda s: average(s["collected_minor"], s["charges_count"]),
    ),
    _payments(
        "payment_volume",
        _("Payment volume"),
        _("What was received of the payments that were made in the period and succeeded, before refunds and fees."),
        MONEY,
        lambda s: s["volume_minor"],
    ),
    _payments(
        "payments_made",
        _("Payments made"),
        _("How many payments were made in the period, whatever became of them."),
        COUNT,
        lambda s: s["made_count"],
    ),
    _payments(
        "success_rate",
        _("Success rate"),
        _(
            "How many of the payments that were made in the period succeeded. "
            "Those that were declined, given up or are still open did not."
        ),
        SHARE,
        lambda s: part(s["succeeded_count"], s["made_count"]),
    ),
    _payments(
        "average_payment",
        _("Average payment"),
        _("The payment volume divided by the number of payments that succeeded."),
        MONEY,
        lambda s: average(s["volume_minor"], s["succeeded_count"]),
    ),
    _attempts(
        "attempts",
        _("Tries to pay"),
        _("How many tries at payments ended in the period's days, by the day on which they began."),
        COUNT,
        lambda s: s.get(APPROVED, 0) + s.get(DECLINED, 0) + s.get(ABANDONED, 0),
    ),
    _attempts(
        "authorisation_rate",
        _("Authorisation rate"),
        _(
            "Of the tries that a bank or a wallet answered, how many it approved. "
            "A payment that is tried again counts each time; tries that the payer gave up are left out."
        ),
        SHARE,
        lambda s: part(s.get(APPROVED, 0), s.get(APPROVED, 0) + s.get(DECLINED, 0)),
    ),
)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
