"""Offers, their versions, the codes that lead to them, and what was given by them."""

from datetime import UTC, datetime

from django.db import models

from members.offers import frames, states
from merchant_platform.kernel import privacy, versions
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

# Where nobody said when it ends: a time that an index can compare.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


class Offer(models.Model):
    """What a merchant offers, as it stands now, and how much of it was used.

    The counters include what is held for orders that are being paid just now; they change
    by compare-and-set alone (redeeming.py). `terms` are those of the present version.
    """

    id_prefix = "offer"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Stripe's id of a coupon, which merchants choose themselves; null where no code leads to it.
    coupon = models.TextField(null=True)  # noqa: DJ001
    name = models.TextField()
    kind = models.TextField()
    trigger = models.TextField()
    status = models.TextField(default=states.DRAFT)
    version = models.PositiveIntegerField(default=1)
    terms = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(default=FOREVER)
    redemptions_max = models.PositiveIntegerField(null=True)
    customer_max = models.PositiveIntegerField(null=True)
    budget_minor = models.BigIntegerField(null=True)
    units_max = models.PositiveIntegerField(null=True)
    redeemed_count = models.PositiveIntegerField(default=0)
    given_minor = models.BigIntegerField(default=0)
    units_count = models.PositiveIntegerField(default=0)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id kind trigger status version starts_at ends_at redemptions_max customer_max units_max "
        "redeemed_count given_minor units_count created_at updated_at deleted_at",
        business="coupon name terms budget_minor metadata",
    )

    class Meta:
        verbose_name = "offer"
        constraints = [
            book_unique("members_offer"),
            models.UniqueConstraint(fields=["book_id", "coupon"], name="members_offer_coupon_once_a_book"),
            models.CheckConstraint(condition=models.Q(kind__in=frames.KINDS), name="members_offer_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(states.MOVES.states)), name="members_offer_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(redemptions_max__isnull=True)
                | models.Q(redeemed_count__lte=models.F("redemptions_max")),
                name="members_offer_is_never_overused",
            ),
            models.CheckConstraint(
                condition=models.Q(budget_minor__isnull=True) | models.Q(given_minor__lte=models.F("budget_minor")),
                name="members_offer_is_never_overspent",
            ),
            models.CheckConstraint(
                condition=models.Q(units_max__isnull=True) | models.Q(units_count__lte=models.F("units_max")),
                name="members_offer_is_never_oversold",
            ),
            models.CheckConstraint(condition=models.Q(given_minor__gte=0), name="members_offer_gives_nothing_back"),
        ]
        indexes = [
            # the offers that a cart may meet
            models.Index(
                fields=["book_id", "trigger", "ends_at"],
                condition=models.Q(status=states.ACTIVE),
                name="members_offer_live",
            ),
            # the dashboard's tabs, newest first
            models.Index(
                fields=["book_id", "status", "id"],
                condition=models.Q(deleted_at__isnull=True),
                name="members_offer_status",
            ),
            # coupons, newest first
            models.Index(
                fields=["book_id", "id"],
                condition=models.Q(coupon__isnull=False, deleted_at__isnull=True),
                name="members_offer_coupons",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def seen(self) -> str:
        """What a page showed, to notice that somebody changed it meanwhile."""
        return versions.of([self.version, self.status])

    @property
    def ends(self) -> datetime | None:
        return None if self.ends_at >= FOREVER else self.ends_at

    @property
    def budget_left_minor(self) -> int | None:
        return None if self.budget_minor is None else self.budget_minor - self.given_minor

    @property
    def uses_left(self) -> int | None:
        return None if self.redemptions_max is None else self.redemptions_max - self.redeemed_count

    @property
    def units_left(self) -> int | None:
        return None if self.units_max is None else self.units_max - self.units_count

    def problem(self, now: datetime) -> str | None:
        """Why it does not run at a time, in a word; None where it does."""
        is_deleted = self.deleted_at is not None
        return states.problem(
            status=self.status, starts_at=self.starts_at, ends_at=self.ends_at, is_deleted=is_deleted, now=now
        )


class OfferVersion(models.Model):
    """What an offer said from a time on. An order keeps the version by which it was priced."""

    id_prefix = "offver"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    offer = TenantForeignKey(Offer)
    number = models.PositiveIntegerField()
    terms = models.JSONField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id offer number created_at", business="terms")

    class Meta:
        constraints = [
            book_unique("members_offerversion"),
            models.UniqueConstraint(
                fields=["book_id", "offer", "number"], name="members_offerversion_number_once_an_offer"
            ),
        ]


class PromotionCode(models.Model):
    """A word that leads to an offer: for everybody, once each from a batch, or for one customer alone."""

    id_prefix = "promo"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    offer = TenantForeignKey(Offer)
    code = models.TextField()
    # As it is compared: whoever types it minds no case.
    code_key = models.TextField()
    customer = TenantForeignKey("payments.Customer", null=True)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True)
    redemptions_max = models.PositiveIntegerField(null=True)
    redeemed_count = models.PositiveIntegerField(default=0)
    minimum_minor = models.BigIntegerField(null=True)
    minimum_currency = models.CharField(max_length=3, default="", blank=True)
    is_first_only = models.BooleanField(default=False)
    # Made together, to be found and taken away together.
    batch = models.UUIDField(null=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id offer is_active expires_at redemptions_max redeemed_count is_first_only batch created_at",
        business="code code_key minimum_minor minimum_currency metadata",
        personal="customer",
    )

    class Meta:
        verbose_name = "promotion code"
        constraints = [
            book_unique("members_promotioncode"),
            # A code that was switched off may be given again. Also the lookup of what somebody typed.
            models.UniqueConstraint(
                fields=["book_id", "code_key"],
                condition=models.Q(is_active=True),
                name="members_promotioncode_active_once_a_book",
            ),
            models.CheckConstraint(
                condition=models.Q(redemptions_max__isnull=True)
                | models.Q(redeemed_count__lte=models.F("redemptions_max")),
                name="members_promotioncode_is_never_overused",
            ),
        ]
        indexes = [
            # what somebody typed, also where it was switched off
            models.Index(fields=["book_id", "code_key", "id"], name="members_promotioncode_key"),
            # an offer's codes, newest first
            models.Index(fields=["book_id", "offer", "id"], name="members_promotioncode_offer"),
            # a customer's own codes
            models.Index(
                fields=["book_id", "customer", "id"],
                condition=models.Q(customer__isnull=False),
                name="members_promotioncode_customer",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class OfferRedemption(models.Model):
    """One use of an offer by an order: held while it is paid, then taken or released."""

    id_prefix = "redm"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    offer = TenantForeignKey(Offer)
    version = models.PositiveIntegerField()
    code = TenantForeignKey(PromotionCode, null=True)
    order = TenantForeignKey("payments.Order")
    customer = TenantForeignKey("payments.Customer", null=True)
    status = models.TextField(default=states.HELD)
    currency = models.CharField(max_length=3)
    discount_minor = models.BigIntegerField()
    units = models.PositiveIntegerField(default=0)
    bonus_points = models.PositiveIntegerField(default=0)
    # Who bears how much of the discount: `merchant`, or a store by its id.
    costs = models.JSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id offer version code order status currency discount_minor units bonus_points created_at "
        "expires_at ended_at",
        business="costs",
        personal="customer",
    )

    class Meta:
        verbose_name = "redemption"
        constraints = [
            book_unique("members_offerredemption"),
            models.UniqueConstraint(
                fields=["book_id", "order", "offer"],
                condition=~models.Q(status=states.RELEASED),
                name="members_offerredemption_once_an_order",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(states.USES.states)),
                name="members_offerredemption_status_is_known",
            ),
        ]
        indexes = [
            # how often a customer used an offer
            models.Index(
                fields=["book_id", "customer", "offer"],
                condition=models.Q(status__in=[states.HELD, states.TAKEN], customer__isnull=False),
                name="members_offerredemption_cust",
            ),
            # an offer's latest uses
            models.Index(fields=["book_id", "offer", "id"], name="members_offerredemption_offer"),
            # what is held of an offer just now
            models.Index(
                fields=["book_id", "offer"],
                condition=models.Q(status=states.HELD),
                name="members_offerredemption_held",
            ),
        ]


class DiscountShare(models.Model):
    """What one offer took off one line of an order. The shares of a line sum to its discount."""

    id_prefix = "dsh"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    redemption = TenantForeignKey(OfferRedemption)
    order = TenantForeignKey("payments.Order")
    line = TenantForeignKey("payments.OrderLine")
    amount_minor = models.BigIntegerField()

    privacy = privacy.classes(opaque="id book_id redemption order line amount_minor")

    class Meta:
        constraints = [
            book_unique("members_discountshare"),
            models.UniqueConstraint(fields=["book_id", "redemption", "line"], name="members_discountshare_once_a_line"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="members_discountshare_is_positive"),
        ]
        indexes = [
            # an order's shares
            models.Index(fields=["book_id", "order"], name="members_discountshare_order"),
        ]
