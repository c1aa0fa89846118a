"""The whole books proof, and telling operators when it fails."""

from dataclasses import asdict
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.outbox import publish, row
from payments.intents import reconcile as intents
from payments.intents import statements
from payments.ledger import reconcile as ledger
from payments.stored_value import reconcile as stored_value
from payments.tenders import reconcile as tenders
from security.audit import operations as audit
from security.merchants import queries as merchants

CHECKS = (*ledger.CHECKS, *intents.CHECKS, *tenders.CHECKS, *stored_value.CHECKS)


def checks() -> tuple[ledger.Check, ...]:
    """All that is proved: ours, and what rooms above bring (settings.PROOF_CHECKS)."""
    return (*CHECKS, *(check for name in settings.PROOF_CHECKS for check in import_string(name)))


def prove() -> list[ledger.Difference]:
    """Compute everything again. An empty list is the proof."""
    return list(ledger.differences(checks()))


def prove_against_providers(*, day: date) -> list[ledger.Difference]:
    """Compare charges and refunds with the providers' own statements of a day (UTC). An empty list is the proof."""
    return statements.differences(day=day)


def prove_and_tell(*, now: datetime) -> list[ledger.Difference]:
    """Prove the books, and yesterday against the providers.

    This will record that it was done and with what result, tell operators what differs, and return it.
    """
    found = prove() + prove_against_providers(day=now.date() - timedelta(days=1))
    with tenancy.within(merchants.platform_book_id(mode="live")):
        told = {"proofs": len(CHECKS), "differences": len(found)}
        audit.record(actor=audit.PLATFORM, action="books.proved", detail=told, book_id=None, merchant_id=None)
        if found:
            differing = {"object": "ledger.difference", "differences": [asdict(difference) for difference in found]}
            publish(row("ledger.difference_found", differing, now=now, is_public=False))
    return found
