"""Programmes and what members have in them.

The ledger says how many points somebody has; a lot says which of them, and until when.
What lots have left is the ledger's balance, always: both change in one transaction.
"""

from django.db import models

from members.loyalty.terms import Terms
from members.loyalty.terms import read as read_terms
from merchant_platform.kernel import ids, privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.ledger import chart

EARNED, GRANTED, RECEIVED, RETURNED, MERGED = "earned", "granted", "received", "returned", "merged"
HELD, COMPLETED, VOIDED = "held", "completed", "voided"


class Programme(models.Model):
    """A merchant's points: a unit of their own in the ledger. A book may have several."""

    id_prefix = "prog"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    mode = models.TextField()
    name = models.TextField()
    # Orders in this currency earn.
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True)
    # Which of its terms hold today.
    terms_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id mode currency is_active terms_version created_at", business="name")

    class Meta:
        constraints = [
            book_unique("members_programme"),
            models.UniqueConstraint(fields=["book_id", "name"], name="members_programme_name_once_a_book"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unit(self) -> str:
        """The ledger's name of its points."""
        return f"PTS.{ids.show(self.id_prefix, self.pk)}/0"

    def total(self, kind: chart.Kind) -> chart.AccountRef:
        """One of the book's totals in this unit."""
        return chart.points(kind, self.book_id, self.unit, self.mode)

    @property
    def budget(self) -> chart.AccountRef:
        """What may still be granted."""
        return chart.points(chart.POINTS_BUDGET, self.pk, self.unit, self.mode)


class ProgrammeTerms(models.Model):
    """A version of a programme's terms. Append-only: a member may ask by which terms an order earned."""

    id_prefix = "terms"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    version = models.PositiveIntegerField()
    terms = models.JSONField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id programme version created_at", business="terms")

    class Meta:
        constraints = [
            book_unique("members_programmeterms"),
            models.UniqueConstraint(
                fields=["book_id", "programme", "version"], name="members_programmeterms_version_happens_once"
            ),
        ]

    @property
    def read(self) -> Terms:
        """The terms as values."""
        return read_terms(self.terms)


class Standing(models.Model):
    """A member in a programme: the row that everything which moves their points locks first."""

    id_prefix = "stand"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    member = TenantForeignKey("members.Member")
    # The tier's key in the terms; "" is none. Null `tier_until`: for ever.
    tier = models.TextField(default="", blank=True)
    tier_since = models.DateTimeField(null=True)
    tier_until = models.DateTimeField(null=True)
    orders_count = models.PositiveIntegerField(default=0)
    # The merchant's day of the last order that earned.
    last_visit_date = models.DateField(null=True)
    # What a lifetime tier counts.
    lifetime_spend_minor = models.BigIntegerField(default=0)
    lifetime_points = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id programme created_at",
        personal="member tier tier_since tier_until orders_count last_visit_date lifetime_spend_minor lifetime_points",
    )

    class Meta:
        constraints = [
            book_unique("members_standing"),
            models.UniqueConstraint(fields=["book_id", "programme", "member"], name="members_standing_once_a_member"),
        ]
        indexes = [
            # a member's programmes
            models.Index(fields=["book_id", "member", "programme"], name="members_standing_member"),
            # the tiers that end next
            models.Index(
                fields=["programme", "tier_until"],
                condition=models.Q(tier_until__isnull=False),
                name="members_standing_tier_ends",
            ),
        ]


class Lot(models.Model):
    """Points that came together and expire together. `entry` is what brought them."""

    id_prefix = "lot"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    member = TenantForeignKey("members.Member")
    kind = models.TextField()
    entry = TenantForeignKey("payments.Entry")
    points = models.BigIntegerField()
    remaining_points = models.BigIntegerField()
    # Pending until then: the refund window of their order.
    is_pending = models.BooleanField(default=False)
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    noticed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    # What remained when it was read: what a change compares with.
    seen_points: int

    privacy = privacy.classes(
        opaque="id book_id programme kind entry points remaining_points is_pending available_at expires_at "
        "noticed_at created_at",
        personal="member",
    )

    class Meta:
        constraints = [
            book_unique("members_lot"),
            models.CheckConstraint(
                condition=models.Q(points__gt=0, remaining_points__gte=0, remaining_points__lte=models.F("points")),
                name="members_lot_has_what_is_left_of_it",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[EARNED, GRANTED, RECEIVED, RETURNED, MERGED]),
                name="members_lot_kind_is_known",
            ),
        ]
        indexes = [
            # what a member can spend, soonest expiring first
            models.Index(
                fields=["book_id", "programme", "member", "expires_at"],
                condition=models.Q(remaining_points__gt=0),
                name="members_lot_left",
            ),
            # due: what matures, what expires, whom to tell
            models.Index(
                fields=["programme", "available_at"],
                condition=models.Q(is_pending=True, remaining_points__gt=0),
                name="members_lot_matures",
            ),
            models.Index(
                fields=["programme", "expires_at"],
                condition=models.Q(is_pending=False, remaining_points__gt=0),
                name="members_lot_expires",
            ),
            models.Index(
                fields=["programme", "expires_at"],
                condition=models.Q(is_pending=False, remaining_points__gt=0, noticed_at__isnull=True),
                name="members_lot_to_tell",
            ),
        ]


class LotMove(models.Model):
    """What an entry of the ledger took from a lot (below zero) or put back. Append-only.

    A lot's points and its moves sum to what remains of it.
    """

    id_prefix = "lmv"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    lot = TenantForeignKey(Lot)
    entry = TenantForeignKey("payments.Entry")
    # What it was for: the part of an order that points paid, a redemption, a refund.
    source_id = models.UUIDField(null=True)
    points = models.BigIntegerField()
    # What came back of what the source took, and could not go back to the lot.
    elsewhere_points = models.BigIntegerField(default=0)

    privacy = privacy.classes(opaque="id book_id lot entry source_id points elsewhere_points")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(~models.Q(points=0) & models.Q(elsewhere_points=0))
                | models.Q(points=0, elsewhere_points__gt=0),
                name="members_lotmove_moves_something",
            ),
        ]
        indexes = [
            # what a redemption took, so that it can go back
            models.Index(
                fields=["book_id", "source_id"],
                condition=models.Q(source_id__isnull=False),
                name="members_lotmove_source",
            ),
            # proof: a lot's moves
            models.Index(fields=["lot"], name="members_lotmove_lot"),
        ]


class Accrual(models.Model):
    """What one order earned, once. It follows the order when that is refunded."""

    id_prefix = "acc"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    member = TenantForeignKey("members.Member")
    order = TenantForeignKey("payments.Order")
    decision = TenantForeignKey("kernel.Decision")
    lot = TenantForeignKey(Lot, null=True)
    terms_version = models.PositiveIntegerField()
    # The money that counted, and the points it earned; then what of both was taken back.
    counted_minor = models.BigIntegerField()
    points = models.BigIntegerField()
    returned_minor = models.BigIntegerField(default=0)
    reversed_points = models.BigIntegerField(default=0)
    changes_count = models.PositiveIntegerField(default=0)
    effective_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id programme order decision lot terms_version counted_minor points returned_minor "
        "reversed_points changes_count effective_at",
        personal="member",
    )

    class Meta:
        constraints = [
            book_unique("members_accrual"),
            models.UniqueConstraint(fields=["book_id", "programme", "order"], name="members_accrual_once_an_order"),
            models.CheckConstraint(
                condition=models.Q(
                    counted_minor__gt=0,
                    points__gte=0,
                    returned_minor__gte=0,
                    returned_minor__lte=models.F("counted_minor"),
                    reversed_points__gte=0,
                    reversed_points__lte=models.F("points"),
                ),
                name="members_accrual_takes_back_what_it_gave",
            ),
        ]
        indexes = [
            # what counts towards a tier
            models.Index(fields=["book_id", "programme", "member", "effective_at"], name="members_accrual_window"),
            # an order's accruals
            models.Index(fields=["book_id", "order"], name="members_accrual_order"),
        ]


class OfferBonus(models.Model):
    """The bonus points that one use of an offer gave, once. They follow the order when that is refunded."""

    id_prefix = "bon"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    member = TenantForeignKey("members.Member")
    order = TenantForeignKey("payments.Order")
    # Which use of an offer it was.
    redemption = models.UUIDField()
    # Null: all of it paid a debt.
    lot = TenantForeignKey(Lot, null=True)
    points = models.BigIntegerField()
    reversed_points = models.BigIntegerField(default=0)
    changes_count = models.PositiveIntegerField(default=0)

    privacy = privacy.classes(
        opaque="id book_id programme order redemption lot points reversed_points changes_count", personal="member"
    )

    class Meta:
        constraints = [
            book_unique("members_offerbonus"),
            models.UniqueConstraint(fields=["book_id", "redemption"], name="members_offerbonus_once_a_use"),
            models.CheckConstraint(
                condition=models.Q(points__gt=0, reversed_points__gte=0, reversed_points__lte=models.F("points")),
                name="members_offerbonus_takes_back_what_it_gave",
            ),
        ]
        indexes = [
            # an order's bonuses
            models.Index(fields=["book_id", "order"], name="members_offerbonus_order"),
        ]


class Reward(models.Model):
    """Something that a programme gives for points alone."""

    id_prefix = "rwd"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    name = models.TextField()
    points = models.PositiveIntegerField()
    # How many there are; null: as many as are wanted.
    stock_count = models.PositiveIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id programme points stock_count is_active created_at", business="name")

    class Meta:
        constraints = [
            book_unique("members_reward"),
            models.CheckConstraint(condition=models.Q(points__gt=0), name="members_reward_costs_something"),
        ]
        indexes = [
            # a programme's rewards
            models.Index(fields=["book_id", "programme", "id"], name="members_reward_programme"),
        ]

    def __str__(self) -> str:
        return self.name


class Redemption(models.Model):
    """A reward for a member: its points are held, then taken when it is handed over, or given back."""

    id_prefix = "rdm"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    reward = TenantForeignKey(Reward)
    member = TenantForeignKey("members.Member")
    points = models.PositiveIntegerField()
    status = models.TextField(default=HELD)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id reward points status expires_at created_at", personal="member")

    class Meta:
        constraints = [
            book_unique("members_redemption"),
            models.CheckConstraint(
                condition=models.Q(status__in=[HELD, COMPLETED, VOIDED]), name="members_redemption_status_is_known"
            ),
        ]
        indexes = [
            # a member's rewards, newest first
            models.Index(fields=["book_id", "member", "id"], name="members_redemption_member"),
            # held past their time
            models.Index(fields=["expires_at"], condition=models.Q(status=HELD), name="members_redemption_held"),
        ]


class Run(models.Model):
    """Work over a programme's members, in batches: where it stands is a row, so that anybody can go on with it."""

    # By the clock, what is due; asked for, everything from the beginning.
    MATURE, EXPIRE, NOTICE, TIERS = "mature", "expire", "notice", "tiers"
    RETIER, BACKFILL = "retier", "backfill"

    id_prefix = "run"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    programme = TenantForeignKey(Programme)
    kind = models.TextField()
    # The last row that was done; what follows it is to do. Null: nothing was done yet.
    cursor = models.UUIDField(null=True)
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id book_id programme kind cursor done_count total_count started_at finished_at")

    class Meta:
        constraints = [
            book_unique("members_run"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["mature", "expire", "notice", "tiers", "retier", "backfill"]),
                name="members_run_kind_is_known",
            ),
            models.UniqueConstraint(
                fields=["book_id", "programme", "kind"],
                condition=models.Q(finished_at__isnull=True),
                name="members_run_one_at_a_time",
            ),
        ]
        indexes = [
            # what is to be gone on with
            models.Index(fields=["id"], condition=models.Q(finished_at__isnull=True), name="members_run_open"),
            # a programme's runs, newest first
            models.Index(fields=["book_id", "programme", "id"], name="members_run_programme"),
        ]
