"""Questions about the vault's keys."""

from django.db.models import Count

from security.vault.models import DataKey


def data_keys_by_wrapping_key() -> dict[str, int]:
    """How many books' keys each key-encryption key wraps: one that wraps none may go from VAULT_KEYS."""
    counted = DataKey.objects.using("platform").values("wrapped_by").annotate(count=Count("id"))
    return {row["wrapped_by"]: row["count"] for row in counted.order_by("wrapped_by")}
