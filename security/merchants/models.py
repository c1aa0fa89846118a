"""Merchants and what belongs to them in every mode: books, stores, devices, staff."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from merchant_platform.kernel import clock, privacy, versions

LIVE, TEST, SANDBOX = "live", "test", "sandbox"


class Merchant(models.Model):
    """A business. The platform is itself one, marked by `is_platform`."""

    id_prefix = "mer"
    id = models.UUIDField(primary_key=True, editable=False)
    # What addresses say: /dashboard/<slug>/
    slug = models.SlugField(unique=True, max_length=40)
    name = models.TextField()
    country = models.CharField(max_length=2)
    time_zone = models.TextField()
    default_currency = models.CharField(max_length=3)
    # What its people are written in who have not chosen a language.
    language = models.TextField(default="en")
    is_platform = models.BooleanField(default=False)
    # What of one payment a person of staff may refund alone, in the default currency; null is all of it.
    refund_alone_max_minor = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id is_platform created_at",
        business="slug name country time_zone default_currency language refund_alone_max_minor",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_platform"], condition=models.Q(is_platform=True), name="security_merchant_one_is_platform"
            ),
            models.CheckConstraint(
                condition=models.Q(refund_alone_max_minor__isnull=True) | models.Q(refund_alone_max_minor__gte=0),
                name="security_merchant_refund_limit_is_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def version(self) -> str:
        return versions.of([self.name, self.time_zone, self.language])


class Book(models.Model):
    """One merchant in one mode: the unit of tenancy. A book has a clock."""

    id_prefix = "bk"
    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="books")
    mode = models.TextField()
    # Where a test clock stands; null is the world's time.
    clock_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id merchant mode clock_at created_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "mode"], name="security_book_one_a_mode"),
            models.CheckConstraint(
                condition=models.Q(mode__in=[LIVE, TEST, SANDBOX]), name="security_book_mode_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(clock_at__isnull=True) | ~models.Q(mode=LIVE),
                name="security_book_live_has_the_worlds_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.mode}"

    @property
    def livemode(self) -> bool:
        return self.mode == LIVE

    @property
    def now(self) -> datetime:
        """The book's time."""
        return clock.effective(self.clock_at)


class PublicCode(models.Model):
    """The directory of public addresses: which book, and what in it, a code that nobody can guess opens."""

    code = models.TextField(primary_key=True)
    kind = models.TextField()
    book_id = models.UUIDField()
    object_id = models.UUIDField()
    created_at = models.DateTimeField()

    # Who knows a code sees what it opens.
    privacy = privacy.classes(opaque="kind book_id object_id created_at", secret="code")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "book_id", "object_id"], name="security_publiccode_once_an_object")
        ]


class Store(models.Model):
    """A place where a merchant sells, in every mode."""

    id_prefix = "sto"
    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="stores")
    name = models.TextField()
    city = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id merchant created_at closed_at", business="name city")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "name"], name="security_store_name_once_a_merchant")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def version(self) -> str:
        return versions.of([self.name, self.city, self.is_open])


class Device(models.Model):
    """A till or scanner in a store."""

    id_prefix = "dev"
    id = models.UUIDField(primary_key=True, editable=False)
    store = models.ForeignKey(Store, models.PROTECT, related_name="devices")
    name = models.TextField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id store created_at revoked_at", business="name")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="security_device_name_once_a_store")]

    def __str__(self) -> str:
        return self.name


class Staff(models.Model):
    """A person's place at a merchant: one role, and the stores it is limited to (none: all of them)."""

    id_prefix = "stf"
    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="staff")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="staff")
    role = models.TextField()
    stores = models.ManyToManyField(Store, related_name="+", blank=True)
    created_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id merchant role created_at left_at", personal="user")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "merchant"], name="security_staff_once_a_merchant")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def version(self) -> str:
        return versions.of([self.role, self.left_at is None, sorted(str(store.pk) for store in self.stores.all())])


class Invitation(models.Model):
    """A place at a merchant that is offered to whoever reads an e-mail address. The link works once, until a time."""

    id_prefix = "inv"
    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="+", db_index=False)
    email = models.EmailField()
    role = models.TextField()
    # The stores that it limits the person to; none: all of them.
    store_ids = ArrayField(models.UUIDField(), default=list)
    # An invitation is worth what its writer may grant on the day that it is accepted.
    invited_by = models.ForeignKey(Staff, models.PROTECT, related_name="+", db_index=False)
    digest = models.BinaryField(unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id merchant role store_ids invited_by created_at sent_at expires_at accepted_at revoked_at",
        personal="email",
        secret="digest",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="security_invitation_open_once_an_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.role}"
