"""The ledger's tables. Only this room's operations write them.

A transfer has one debit and one credit account, an amount above zero and one unit, so an
unbalanced one cannot be said. An entry groups the transfers of one business act in one
book under a unique reference. Entries, transfers, holds and outcomes are append-only.
"""

from django.db import models
from django.db.models.functions import Now

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, XidField, book_unique, current_xid


class Account(models.Model):
    """An account of the chart. Immutable; its id follows from code, owner and unit (chart.AccountRef)."""

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.TextField()
    owner_id = models.UUIDField()
    unit = models.TextField()
    mode = models.TextField()
    book_id = models.UUIDField(null=True)

    privacy = privacy.classes(opaque="id code owner_id unit mode book_id")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner_id", "code", "unit"], name="payments_account_once_an_owner_and_unit")
        ]


class AccountBalance(models.Model):
    """The balance of a guarded account, changed by compare-and-set. Nothing references it: it is the hot row."""

    account_id = models.UUIDField(primary_key=True, editable=False)
    posted_minor = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)

    privacy = privacy.classes(opaque="account_id posted_minor reserved_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reserved_minor__gte=0, posted_minor__gte=models.F("reserved_minor")),
                name="payments_accountbalance_never_below_zero",
            )
        ]
        indexes = [
            # janitor: the accounts on which something may be held past its time. What a payment changes is not in it.
            models.Index(
                fields=["account_id"],
                condition=models.Q(reserved_minor__gt=0),
                name="payments_accountbalance_held",
            ),
        ]


class Entry(models.Model):
    """One business act. For a merchant it is the balance transaction (`txn_`)."""

    id_prefix = "txn"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Says why, and stops a second time: `capture:pi_…`.
    reference = models.TextField()
    kind = models.TextField()
    source_id = models.UUIDField(null=True)
    unit = models.TextField()
    # What the act means for the merchant: gross, and the fee kept (negative: given back).
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    effective_at = models.DateTimeField()
    available_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(
        opaque="id book_id reference kind source_id unit amount_minor fee_minor effective_at available_at recorded_at"
    )

    class Meta:
        constraints = [
            book_unique("payments_entry"),
            models.UniqueConstraint(fields=["book_id", "reference"], name="payments_entry_reference_happens_once"),
        ]

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor


class Transfer(models.Model):
    """Value moves from the debit to the credit account."""

    id_prefix = "tr"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Constraints would lock, in every payment, the two account rows that all payments of a
    # merchant share: the posting function looks for the accounts instead (docs/adr/0006).
    entry = TenantForeignKey(Entry, proved_by="transfers_hang_together")
    debit_account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    credit_account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    unit = models.TextField()
    amount_minor = models.BigIntegerField()
    xid = XidField(db_default=current_xid())

    privacy = privacy.classes(opaque="id book_id entry debit_account credit_account unit amount_minor xid")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_transfer_moves_something"),
            models.CheckConstraint(
                condition=~models.Q(debit_account=models.F("credit_account")), name="payments_transfer_has_two_accounts"
            ),
        ]
        indexes = [
            # The tail of a total, and a wallet's statement: an account's transfers by transaction.
            models.Index(fields=["debit_account", "xid"], name="payments_transfer_debits"),
            models.Index(fields=["credit_account", "xid"], name="payments_transfer_credits"),
            # an entry's transfers
            models.Index(fields=["book_id", "entry"], name="payments_transfer_entry"),
        ]


class Hold(models.Model):
    """A reserve: part of a guarded account's balance, set aside until it is completed or voided."""

    id_prefix = "hold"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    unit = models.TextField()
    amount_minor = models.BigIntegerField()
    reference = models.TextField()
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id book_id account unit amount_minor reference effective_at expires_at")

    class Meta:
        constraints = [
            book_unique("payments_hold"),
            models.UniqueConstraint(fields=["book_id", "reference"], name="payments_hold_reference_happens_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_hold_reserves_something"),
        ]
        indexes = [
            # reconcile, and the janitor: what is reserved on an account.
            models.Index(fields=["account"], name="payments_hold_account"),
        ]


class HoldOutcome(models.Model):
    """How a hold ended. Its unique hold is what makes exactly one of complete and void happen."""

    COMPLETE, VOID = "complete", "void"

    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    hold = TenantForeignKey(Hold)
    kind = models.TextField()
    completed_minor = models.BigIntegerField(default=0)
    entry = TenantForeignKey(Entry, null=True)
    effective_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id hold kind completed_minor entry effective_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book_id", "hold"], name="payments_holdoutcome_exactly_one"),
            models.CheckConstraint(
                condition=models.Q(kind="complete", completed_minor__gt=0) | models.Q(kind="void", completed_minor=0),
                name="payments_holdoutcome_completes_or_voids",
            ),
        ]


class Checkpoint(models.Model):
    """A total as of a transaction id: everything that an xid below `xid` moved is in `posted_minor`."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="+")
    book_id = models.UUIDField()
    posted_minor = models.BigIntegerField()
    xid = XidField()
    cluster = models.BigIntegerField()
    taken_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(opaque="account book_id posted_minor xid cluster taken_at")


class Cluster(models.Model):
    """The database cluster whose transaction ids the ledger stores: one row.

    After a dump and restore the ids mean nothing; a trigger then refuses transfers until
    `manage.py ledger rebase`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    system_identifier = models.BigIntegerField()

    privacy = privacy.classes(opaque="id system_identifier")
