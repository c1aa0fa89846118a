"""Payments' door for work by the clock."""

from celery import shared_task

from merchant_platform.kernel import clock
from payments import proof
from payments.bulk import operations as bulk
from payments.checkout import sweep as checkouts
from payments.intents import sweep
from payments.ledger import checkpoints
from payments.ledger import operations as ledger
from payments.receipts import mail
from payments.stored_value import operations as stored_value
from payments.webhooks import operations as webhooks


@shared_task(name="payments.roll_totals_forward", time_limit=120)
def roll_totals_forward(**_: object) -> int:
    return checkpoints.roll_forward()


@shared_task(name="payments.void_expired_holds", time_limit=120)
def void_expired_holds(**_: object) -> int:
    return ledger.void_expired(now=clock.wall())


@shared_task(name="payments.look_after_checkouts", time_limit=120)
def look_after_checkouts(**_: object) -> int:
    recorded = clock.wall()
    return checkouts.look_after_due(recorded=recorded) + checkouts.write_receipts(recorded=recorded)


@shared_task(name="payments.look_after_stored_value", time_limit=120)
def look_after_stored_value(**_: object) -> int:
    return stored_value.look_after_due(recorded=clock.wall())


@shared_task(name="payments.send_receipts", time_limit=300)
def send_receipts(**_: object) -> int:
    return mail.send_unsent(recorded=clock.wall())


@shared_task(name="payments.run_bulk_jobs", time_limit=300)
def run_bulk_jobs(**_: object) -> int:
    return bulk.run_due(at=clock.wall())


@shared_task(name="payments.prove_the_books", time_limit=600)
def prove_the_books(**_: object) -> int:
    return len(proof.prove_and_tell(now=clock.wall()))


@shared_task(name="payments.sweep_providers", time_limit=300)
def sweep_providers(**_: object) -> int:
    at = clock.wall()
    return sweep.sweep(at=at) + sweep.answer_in_flight(at=at)


@shared_task(name="payments.release_expired_authorisations", time_limit=300)
def release_expired_authorisations(**_: object) -> int:
    return sweep.release_expired(at=clock.wall())


@shared_task(name="payments.purge_webhook_attempts", time_limit=600)
def purge_webhook_attempts(**_: object) -> int:
    return webhooks.purge(now=clock.wall())
