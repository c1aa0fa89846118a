from django.db import models

from merchant_platform.kernel import privacy

SECRET, PUBLISHABLE, RESTRICTED = "secret", "publishable", "restricted"


class ApiKey(models.Model):
    """A key to one book. Its text is shown once; only a digest is kept, and four characters to tell it by."""

    id_prefix = "key"
    id = models.UUIDField(primary_key=True, editable=False)
    book = models.ForeignKey("security.Book", models.PROTECT, related_name="keys")
    kind = models.TextField()
    name = models.TextField(default="", blank=True)
    digest = models.BinaryField(unique=True)
    last_four = models.CharField(max_length=4)
    # A publishable key stands in pages that anybody reads: it alone can be shown again.
    public_text = models.TextField(null=True)  # noqa: DJ001  (null says: shown once)
    # Who made it on the dashboard; null: the command did.
    made_by = models.ForeignKey("security.Staff", models.PROTECT, null=True, related_name="+", db_index=False)
    # For a restricted key: resource to "read" or "write".
    permissions = models.JSONField(default=dict, blank=True)
    # Where it may be used from, as CIDR; empty is anywhere.
    networks = models.JSONField(default=list, blank=True)
    # The client certificates that it is used with, as SHA-256; empty is none needed.
    certificates = models.JSONField(default=list, db_default=[], blank=True)
    # The public key (Ed25519, PEM) that its requests are signed by; empty is not signed.
    signing_key = models.TextField(default="", db_default="", blank=True)
    # The public key (JWK) that answers are encrypted to where they are asked to be; null is never.
    encryption_key = models.JSONField(null=True)
    created_at = models.DateTimeField()
    # Set by rotation: the old key works beside the new one until then.
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book kind made_by created_at expires_at revoked_at permissions networks certificates "
        "signing_key encryption_key",
        business="name last_four public_text",
        secret="digest",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[SECRET, PUBLISHABLE, RESTRICTED]), name="security_apikey_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(public_text__isnull=True) | models.Q(kind=PUBLISHABLE),
                name="security_apikey_only_a_publishable_text_is_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} …{self.last_four}"


class CredentialsVersion(models.Model):
    """One number that grows with every change of keys: what each web process polls instead of asking a request."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=1)

    privacy = privacy.classes(opaque="id number")

    @staticmethod
    def bump() -> None:
        """Make every web process forget the keys it remembers, within a second."""
        CredentialsVersion.objects.bulk_create([CredentialsVersion(id=1)], ignore_conflicts=True)
        CredentialsVersion.objects.filter(pk=1).update(number=models.F("number") + 1)
