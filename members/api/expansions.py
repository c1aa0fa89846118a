"""What `expand[]` can open of this app's objects."""

from collections.abc import Sequence
from typing import Any

from members.offers import objects, queries
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.api.expand import expandable, loader
from security.merchants import queries as merchants


def _coupons(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    book = merchants.book(tenancy.book_id())
    now = clock.effective(book.clock_at)
    rows = queries.coupons().filter(coupon__in=list(texts))
    return {str(row.coupon): objects.coupon(row, now=now, livemode=book.livemode) for row in rows}


def _promotion_codes(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    book = merchants.book(tenancy.book_id())
    now = clock.effective(book.clock_at)
    rows = queries.promotion_codes().filter(pk__in=[ids.parse("promo", text) for text in texts])
    found = [objects.promotion_code(row, now=now, livemode=book.livemode) for row in rows]
    return {shown["id"]: shown for shown in found}


loader("coupon", _coupons)
loader("promotion_code", _promotion_codes)
expandable("promotion_code", customer="customer", promotion="coupon")
# `promotion.coupon`, `discounts.promotion_code` of a checkout session: the part between has no name of its own.
expandable("", coupon="coupon", promotion_code="promotion_code")
expandable("discount", promotion_code="promotion_code")
