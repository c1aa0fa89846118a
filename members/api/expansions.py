"""What `expand[]` can open of this app's objects."""

from collections.abc import Sequence
from typing import Any

from members.offers import objects, queries
from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.api.expand import expandable, loader
from security.merchants import queries as merchants


def _coupons(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    book = merchants.book(tenancy.book_id())
    now = clock.effective(book.clock_at)
    rows = queries.coupons().filter(coupon__in=list(texts))
    return {str(row.coupon): objects.coupon(row, now=now, livemode=book.livemode) for row in rows}


loader("coupon", _coupons)
expandable("promotion_code", customer="customer", promotion="coupon")
# `promotion.coupon`: the part between has no name of its own.
expandable("", coupon="coupon")
