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
    # For a restricted key: resource to "read" or "write".
    permissions = models.JSONField(default=dict, blank=True)
    # Where it may be used from, as CIDR; empty is anywhere.
    networks = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    # Set by rotation: the old key works beside the new one until then.
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book kind created_at expires_at revoked_at permissions networks",
        business="name last_four",
        secret="digest",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[SECRET, PUBLISHABLE, RESTRICTED]), name="security_apikey_kind_is_known"
            )
        ]


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
