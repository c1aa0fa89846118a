"""Facts: sums of what happened, kept by the quarter of an hour and by the merchant's day.

Everything here can be made again from the rows of payments (operations.rebuild), and is
never asked without them: what changed since the sums were made is read from the rows
themselves (queries.py). A quarter of an hour is the largest stretch of time that every
time zone's days are made of.
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now

from merchant_platform.kernel import privacy

# Columns of a key hold no null: who paid in no store paid in this one.
NO_STORE = UUID(int=0)
WHERE_AND_HOW = ("currency", "store_id", "method", "brand")
SALES_KEY = (*WHERE_AND_HOW, "category")
ATTEMPTS_KEY = (*WHERE_AND_HOW, "outcome", "reason")
# How many days back it is known whether a buyer of a day had paid before: the longest period that is asked for.
REACH_DAYS = 366
_WHERE_AND_HOW = " ".join(WHERE_AND_HOW)


class _WhereAndHow(models.Model):
    """What all sums are kept apart by."""

    book_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    store_id = models.UUIDField(default=NO_STORE)
    method = models.TextField()
    brand = models.TextField()

    class Meta:
        abstract = True


class _Sales(_WhereAndHow):
    """What the ledger moved for sales. Amounts of a payment are spread over its order's lines, to the last unit."""

    category = models.TextField()
    # Payments, told by the first line of each: they can be added over everything.
    charges_count = models.BigIntegerField()
    # Payments that a category took part in: they can be added over everything but categories.
    baskets_count = models.BigIntegerField()
    refunds_count = models.BigIntegerField()
    collected_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField()
    discounts_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    fees_minor = models.BigIntegerField()
    # Thousandths of a piece: of an order that is paid in parts, each part sells a part.
    items_milli = models.BigIntegerField()

    _measures = "charges_count baskets_count refunds_count collected_minor refunded_minor discounts_minor tax_minor"

    class Meta:
        abstract = True


class SalesQuarter(_Sales):
    """Sales of a quarter of an hour, by when the ledger moved them."""

    pk = models.CompositePrimaryKey("book_id", "quarter_at", *SALES_KEY)
    quarter_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque=f"book_id quarter_at {_WHERE_AND_HOW} {_Sales._measures} fees_minor items_milli", business="category"
    )


class SalesDay(_Sales):
    """Sales of a day of the merchant's."""

    pk = models.CompositePrimaryKey("book_id", "day", *SALES_KEY)
    day = models.DateField()

    privacy = privacy.classes(
        opaque=f"book_id day {_WHERE_AND_HOW} {_Sales._measures} fees_minor items_milli", business="category"
    )


class SoldHours(_WhereAndHow):
    """How many times a day of the merchant's sold, by the hour: 24 numbers each. What sold nothing has no row."""

    pk = models.CompositePrimaryKey("book_id", "day", *SALES_KEY)
    day = models.DateField()
    category = models.TextField()
    charges_counts = ArrayField(models.IntegerField())
    baskets_counts = ArrayField(models.IntegerField())

    privacy = privacy.classes(opaque=f"book_id day {_WHERE_AND_HOW} charges_counts baskets_counts", business="category")


class _Payments(_WhereAndHow):
    """Payments by when they were made; how they were paid is known of those that succeeded."""

    made_count = models.BigIntegerField()
    succeeded_count = models.BigIntegerField()
    volume_minor = models.BigIntegerField()

    class Meta:
        abstract = True


class PaymentQuarter(_Payments):
    """Payments of a quarter of an hour."""

    pk = models.CompositePrimaryKey("book_id", "quarter_at", *WHERE_AND_HOW)
    quarter_at = models.DateTimeField()

    privacy = privacy.classes(opaque=f"book_id quarter_at {_WHERE_AND_HOW} made_count succeeded_count volume_minor")


class PaymentDay(_Payments):
    """Payments of a day of the merchant's."""

    pk = models.CompositePrimaryKey("book_id", "day", *WHERE_AND_HOW)
    day = models.DateField()

    privacy = privacy.classes(opaque=f"book_id day {_WHERE_AND_HOW} made_count succeeded_count volume_minor")


class PaidHours(models.Model):
    """How many payments that were made on a day of the merchant's succeeded, by the hour: 24 numbers."""

    pk = models.CompositePrimaryKey("book_id", "day", "currency")
    book_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    succeeded_counts = ArrayField(models.IntegerField())

    privacy = privacy.classes(opaque="book_id day currency succeeded_counts")


class _Attempts(_WhereAndHow):
    """Tries at payments that have ended, by what came of them."""

    outcome = models.TextField()
    reason = models.TextField()
    attempts_count = models.BigIntegerField()

    class Meta:
        abstract = True


class AttemptQuarter(_Attempts):
    """Tries of a quarter of an hour."""

    pk = models.CompositePrimaryKey("book_id", "quarter_at", *ATTEMPTS_KEY)
    quarter_at = models.DateTimeField()

    privacy = privacy.classes(opaque=f"book_id quarter_at {_WHERE_AND_HOW} outcome reason attempts_count")


class AttemptDay(_Attempts):
    """Tries of a day of the merchant's."""

    pk = models.CompositePrimaryKey("book_id", "day", *ATTEMPTS_KEY)
    day = models.DateField()

    privacy = privacy.classes(opaque=f"book_id day {_WHERE_AND_HOW} outcome reason attempts_count")


class BuyerDay(models.Model):
    """A customer who made a payment of a day of the merchant's that succeeded. Guests are none.

    `previous_day` is the last day before it with a row of the same customer and currency:
    whoever has none in a period was not counted in it yet.
    """

    pk = models.CompositePrimaryKey("book_id", "day", "currency", "customer_id")
    book_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    customer_id = models.UUIDField()
    previous_day = models.DateField(null=True)

    privacy = privacy.classes(opaque="book_id day currency previous_day", personal="customer_id")

    class Meta:
        indexes = [
            # the days of one customer, in order
            models.Index(fields=["book_id", "customer_id", "currency", "day"], name="analytics_buyerday_customer"),
        ]


class BuyerCount(models.Model):
    """How many customers paid on a day, and how many of them had paid shortly before: sums of the day's BuyerDay.

    The nth of `returned_counts` had paid on one of the n days before the day; all that
    follow are as the last. So the customers of a period are the sum over its days of those
    who had not paid since the period's first.
    """

    pk = models.CompositePrimaryKey("book_id", "day", "currency")
    book_id = models.UUIDField()
    day = models.DateField()
    currency = models.CharField(max_length=3)
    buyers_count = models.IntegerField()
    returned_counts = ArrayField(models.IntegerField())

    privacy = privacy.classes(opaque="book_id day currency buyers_count returned_counts")


class SoldLine(models.Model):
    """An order line of which something was paid, with all that is asked of it: one row, and no joins."""

    pk = models.CompositePrimaryKey("book_id", "line_id")
    book_id = models.UUIDField()
    line_id = models.UUIDField()
    order_id = models.UUIDField()
    customer_id = models.UUIDField(null=True)
    store_id = models.UUIDField(default=NO_STORE)
    product_id = models.UUIDField(null=True)
    category = models.TextField()
    currency = models.CharField(max_length=3)
    quantity = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    cost_minor = models.BigIntegerField(null=True)
    refunded_minor = models.BigIntegerField()
    refunded_quantity = models.BigIntegerField()
    # When it was ordered, by the book's clock, and when we last learned something of it, by the world's.
    ordered_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(
        opaque="book_id line_id order_id store_id product_id currency quantity discount_minor tax_minor amount_minor "
        "refunded_minor refunded_quantity ordered_at recorded_at",
        business="category gross_minor cost_minor",
        personal="customer_id",
    )


class Projection(models.Model):
    """A book whose facts are kept: one without is read from its rows. `zone` is what its days were made for."""

    book_id = models.UUIDField(primary_key=True)
    zone = models.TextField()
    # Knowledge time: when its facts last followed the rows.
    recorded_at = models.DateTimeField(db_default=Now())
    # Until then the clock's rounds leave it alone.
    due_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="book_id recorded_at due_at", business="zone")


class DirtyQuarter(models.Model):
    """A quarter of an hour whose facts are to be made again: a due row, which goes with the making."""

    pk = models.CompositePrimaryKey("book_id", "quarter_at")
    book_id = models.UUIDField()
    quarter_at = models.DateTimeField()

    privacy = privacy.classes(opaque="book_id quarter_at")


class MovedDay(models.Model):
    """A day of the merchant's whose sales were made again: a due row for the datasets, which copy them.

    Each making gives it another version. Who copied a day takes the row away as it was
    before copying: a day that moved meanwhile has another version by then, and stays due.
    """

    pk = models.CompositePrimaryKey("book_id", "day")
    book_id = models.UUIDField()
    day = models.DateField()
    version = models.UUIDField(db_default=RandomUUID())

    privacy = privacy.classes(opaque="book_id day version")


class Position(models.Model):
    """Up to where changes were looked for, in all books: the snapshot in which that was done. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    # A pg_snapshot as text, and the cluster whose transactions it names.
    snapshot = models.TextField()
    system_identifier = models.BigIntegerField()
    recorded_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(opaque="id snapshot system_identifier recorded_at")

    def __str__(self) -> str:
        return self.snapshot
