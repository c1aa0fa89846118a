from django.conf import settings
from django.db import models

from merchant_platform.kernel import privacy


class StepUp(models.Model):
    """One demand to show a factor again, for one act: asked, proved, used, each once and for minutes."""

    id_prefix = "stp"
    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    # SHA-256 of the session's key: a proof counts in the browser that gave it.
    session = models.BinaryField()
    # SHA-256 over action, book, object, amount and payee: any change of them is another act.
    digest = models.BinaryField()
    nonce = models.BinaryField()
    action = models.TextField()
    # What the page shows, and where it goes back to.
    facts = models.JSONField()
    return_to = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True)
    proved_by = models.TextField(default="", blank=True)
    used_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id user digest action created_at expires_at proved_at proved_by used_at",
        business="facts return_to",
        secret="session nonce",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(proved_at__isnull=False),
                name="security_stepup_is_proved_before_it_is_used",
            )
        ]
        indexes = [
            # Whether an act was proved in this browser.
            models.Index(fields=["user", "digest", "expires_at"], name="security_stepup_by_act"),
            # The janitor.
            models.Index(fields=["expires_at"], name="security_stepup_by_expiry"),
        ]


class Phone(models.Model):
    """The telephone number of a login, proved by a code; a login without one has no row, or an empty one."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="+")
    # Sealed (secrets.py), and found by a keyed hash (phones.py).
    sealed = models.TextField(default="", blank=True)
    digest = models.BinaryField(null=True, unique=True)
    proved_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="user proved_at", secret="sealed digest")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sealed="", digest__isnull=True, proved_at__isnull=True)
                | models.Q(~models.Q(sealed=""), digest__isnull=False, proved_at__isnull=False),
                name="security_phone_is_whole_or_empty",
            )
        ]
