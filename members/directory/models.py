"""Who is a member of whom: a membership over a customer, and what a merchant keeps about it.

What is written down about a person beyond the membership itself (contacts, birthday,
household) is kept only with consent to it, and is gone when the consent is.
"""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

ACTIVE, MERGED, LEFT = "active", "merged", "left"
API, DASHBOARD, CHECKOUT, QR, IMPORT, PORTAL, DEMO = "api", "dashboard", "checkout", "qr", "import", "portal", "demo"
SOURCES = (API, DASHBOARD, CHECKOUT, QR, IMPORT, PORTAL, DEMO)
PHONE, EMAIL, NAME = "phone", "email", "name"
CONTACTS = (PHONE, EMAIL)


class Household(models.Model):
    """People who live together, as they said."""

    id_prefix = "hh"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    name = models.TextField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id created_at", personal="name")

    class Meta:
        constraints = [
            book_unique("members_household"),
            models.UniqueConstraint(fields=["book_id", "name"], name="members_household_name_once_a_book"),
        ]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A customer who joined. Merged into another one, the row stays as an alias: what points at it still finds it."""

    id_prefix = "mem"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    customer = TenantForeignKey("payments.Customer")
    # What stands on the card. Nobody can count members by it or guess another one's.
    number = models.TextField()
    joined_at = models.DateTimeField()
    source = models.TextField()
    # Where they joined, if it was in a store.
    store = models.ForeignKey("security.Store", models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.TextField(default=ACTIVE)
    # Always the member that is alive, however many merges led to it.
    merged_into = TenantForeignKey("self", null=True)
    left_at = models.DateTimeField(null=True)
    birthday = models.DateField(null=True)
    household = TenantForeignKey(Household, null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id joined_at source store status merged_into left_at created_at",
        personal="customer number birthday household",
    )

    class Meta:
        constraints = [
            book_unique("members_member"),
            models.UniqueConstraint(fields=["book_id", "customer"], name="members_member_once_a_customer"),
            models.UniqueConstraint(fields=["book_id", "number"], name="members_member_number_once_a_book"),
            models.CheckConstraint(
                condition=models.Q(status__in=[ACTIVE, MERGED, LEFT]), name="members_member_status_is_known"
            ),
            models.CheckConstraint(condition=models.Q(source__in=SOURCES), name="members_member_source_is_known"),
            models.CheckConstraint(
                condition=models.Q(status=MERGED, merged_into__isnull=False)
                | (~models.Q(status=MERGED) & models.Q(merged_into__isnull=True)),
                name="members_member_alias_names_whom",
            ),
        ]
        indexes = [
            # the list, by what it is narrowed to
            models.Index(fields=["book_id", "status", "id"], name="members_member_by_status"),
            # a member's aliases
            models.Index(
                fields=["book_id", "merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="members_member_aliases",
            ),
            # the people of a household
            models.Index(
                fields=["book_id", "household"],
                condition=models.Q(household__isnull=False),
                name="members_member_household",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_active(self) -> bool:
        return self.status == ACTIVE


class Contact(models.Model):
    """A way to reach a member, under seal. It is found again by a digest that says nothing without the book's key."""

    id_prefix = "mct"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    member = TenantForeignKey(Member)
    kind = models.TextField()
    nonce = models.BinaryField()
    ciphertext = models.BinaryField()
    digest = models.TextField()
    # What may be shown without opening it: +86138****5678.
    mask = models.TextField()
    # The last four digits of a telephone number: what people say at the till.
    ending = models.CharField(max_length=4, default="", blank=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id member kind created_at", personal="digest mask ending", secret="nonce ciphertext"
    )

    class Meta:
        constraints = [
            book_unique("members_contact"),
            models.UniqueConstraint(fields=["book_id", "member", "kind"], name="members_contact_one_of_a_kind"),
            # AES-GCM falls with the first nonce used twice.
            models.UniqueConstraint(fields=["book_id", "nonce"], name="members_contact_nonce_is_used_once"),
            models.CheckConstraint(condition=models.Q(kind__in=CONTACTS), name="members_contact_kind_is_known"),
        ]
        indexes = [
            # whose is this number or address?
            models.Index(fields=["book_id", "digest", "id"], name="members_contact_digest"),
            # who said "8000" at the till?
            models.Index(fields=["book_id", "ending", "id"], name="members_contact_ending"),
        ]


class Tag(models.Model):
    """A word that a merchant sorts members by."""

    id_prefix = "tag"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    name = models.TextField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id created_at", business="name")

    class Meta:
        constraints = [
            book_unique("members_tag"),
            models.UniqueConstraint(fields=["book_id", "name"], name="members_tag_name_once_a_book"),
        ]

    def __str__(self) -> str:
        return self.name


class MemberTag(models.Model):
    """A tag on a member."""

    id_prefix = "mtg"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    member = TenantForeignKey(Member)
    tag = TenantForeignKey(Tag)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id tag created_at", personal="member")

    class Meta:
        constraints = [
            book_unique("members_membertag"),
            models.UniqueConstraint(fields=["book_id", "member", "tag"], name="members_membertag_once_a_member"),
        ]
        indexes = [
            # the list, narrowed to a tag
            models.Index(fields=["book_id", "tag", "member"], name="members_membertag_tag"),
        ]


class Correction(models.Model):
    """What was changed about a member, by whom, and what it was before. A contact's text shows as its mask alone.

    The audit log, which nobody can change, says that it happened; this says what, so it is
    taken away with the person's data.
    """

    id_prefix = "cor"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    member = TenantForeignKey(Member)
    field = models.TextField()
    before = models.TextField(default="", blank=True)
    after = models.TextField(default="", blank=True)
    source = models.TextField()
    staff = models.ForeignKey("security.Staff", models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id member field source created_at", personal="before after staff")

    class Meta:
        constraints = [book_unique("members_correction")]
        indexes = [
            # a member's corrections, newest first
            models.Index(fields=["book_id", "member", "id"], name="members_correction_member"),
        ]


class Merge(models.Model):
    """That two members are one person. Undone, it says so and what it moved goes back."""

    id_prefix = "mrg"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    loser = TenantForeignKey(Member)
    winner = TenantForeignKey(Member)
    # What went over to the winner, so that it can go back: aliases, tags, and which columns were filled.
    moved = models.JSONField(default=dict)
    staff = models.ForeignKey("security.Staff", models.PROTECT, null=True, related_name="+", db_index=False)
    merged_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id book_id loser winner moved merged_at undone_at", personal="staff")

    class Meta:
        constraints = [
            book_unique("members_merge"),
            models.UniqueConstraint(
                fields=["book_id", "loser"],
                condition=models.Q(undone_at__isnull=True),
                name="members_merge_stands_once_a_loser",
            ),
            models.CheckConstraint(
                condition=~models.Q(loser=models.F("winner")), name="members_merge_is_of_two_members"
            ),
        ]
        indexes = [
            # what was merged into a member
            models.Index(fields=["book_id", "winner", "id"], name="members_merge_winner"),
        ]


class Duplicate(models.Model):
    """Two members who may be one person, until somebody says whether they are."""

    id_prefix = "dup"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # The younger one and the older one.
    member = TenantForeignKey(Member)
    other = TenantForeignKey(Member)
    # What they share: phone, email or name.
    reason = models.TextField()
    found_at = models.DateTimeField()
    # Said to be two people, or merged.
    closed_at = models.DateTimeField(null=True)
    merge = TenantForeignKey(Merge, null=True)

    privacy = privacy.classes(opaque="id book_id member other reason found_at closed_at merge")

    class Meta:
        constraints = [
            book_unique("members_duplicate"),
            models.UniqueConstraint(fields=["book_id", "member", "other"], name="members_duplicate_once_a_pair"),
            models.CheckConstraint(
                condition=models.Q(reason__in=[PHONE, EMAIL, NAME]), name="members_duplicate_reason_is_known"
            ),
        ]
        indexes = [
            # what waits for an answer
            models.Index(
                fields=["book_id", "id"], condition=models.Q(closed_at__isnull=True), name="members_duplicate_open"
            ),
            # the pairs that a merge answers
            models.Index(
                fields=["book_id", "other"], condition=models.Q(closed_at__isnull=True), name="members_duplicate_other"
            ),
        ]
