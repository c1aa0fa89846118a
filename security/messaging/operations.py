"""Messages: written with what they tell of, sent afterwards, tried again, never to who wants none.

A row is claimed by compare-and-set for the time of one try, then handed over outside of any
transaction: two workers never send one message at once, and one that died leaves it due again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.translation import override

from merchant_platform.kernel import ids
from security.messaging import bodies
from security.messaging.channels import Bounced, Channel, NotSent
from security.messaging.models import EMAIL, FAILED, QUEUED, SENT, SMS, SUPPRESSED, Message, Suppression
from security.messaging.numbers import masked

# How long after each failure the next try comes; after the last one it is given up.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200))
_KEPT = timedelta(days=30)
_CLAIMED_FOR = timedelta(minutes=2)
_AT_ONCE_MAX = 100
_ERROR_MAX = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is to be sent."""

    channel: str
    address: str
    template: str
    language: str
    body: str
    subject: str = ""


def write(
    *, channel: str, address: str, template: str, language: str, body: str, subject: str = "", now: datetime
) -> Message:
    """Put a message into the outbox. This will write it with what it tells of, as suppressed where nobody wants it."""
    letter = Letter(channel, address, template, language, body, subject)
    message = _row(letter, is_suppressed=_standing(channel, address).exists(), now=now)
    message.save(force_insert=True)
    return message


def write_many(letters: Sequence[Letter], *, now: datetime) -> int:
    """Put letters into the outbox. This will write them with what they tell of, in two statements, and count them."""
    digests = [_digest(each.channel, each.address) for each in letters]
    known = Suppression.objects.filter(digest__in=digests, lifted_at__isnull=True).values_list("channel", "digest")
    unwanted = {(channel, bytes(digest)) for channel, digest in known}
    Message.objects.bulk_create(
        _row(each, is_suppressed=(each.channel, digest) in unwanted, now=now)
        for each, digest in zip(letters, digests, strict=True)
    )
    return len(letters)


def write_sms(*, address: str, template: str, language: str, context: dict[str, Any], now: datetime) -> Message:
    """Put an SMS into the outbox, from templates/messages/<template>.sms.txt in the person's language."""
    with override(language):
        body = render_to_string(f"messages/{template}.sms.txt", context).strip()
    return write(channel=SMS, address=address, template=template, language=language, body=body, now=now)


def send_due(*, now: datetime) -> int:
    """Send what is due. This will hand each over and note how it went; returns how many went out."""
    due = Message.objects.filter(status=QUEUED, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
    return sum(send(identifier=identifier, now=now) for identifier in due.values_list("pk", flat=True)[:_AT_ONCE_MAX])


def send(*, identifier: UUID, now: datetime) -> bool:
    """Try one message. This will claim it, hand it over and note how it went; false where there was nothing to do."""
    claimed = Message.objects.filter(pk=identifier, status=QUEUED, next_attempt_at__lte=now).update(
        next_attempt_at=now + _CLAIMED_FOR, attempts_count=F("attempts_count") + 1
    )
    if not claimed:
        return False
    message = Message.objects.get(pk=identifier)
    address = bodies.unseal(message.sealed_address) if message.sealed_address else message.address
    try:
        _channel(message.channel).send(address=address, subject=message.subject, body=bodies.unseal(message.body))
    except Bounced as bounced:
        suppress(channel=message.channel, address=address, reason=str(bounced), now=now)
        _settle(message, status=FAILED, next_attempt_at=None, last_error=str(bounced)[:_ERROR_MAX])
        return False
    except NotSent as failed:
        again = message.attempts_count <= len(RETRY_AFTER)
        _settle(
            message,
            status=QUEUED if again else FAILED,
            next_attempt_at=now + RETRY_AFTER[message.attempts_count - 1] if again else None,
            last_error=str(failed)[:_ERROR_MAX],
        )
        return False
    _settle(message, status=SENT, next_attempt_at=None, sent_at=now, last_error="")
    return True


def purge(*, now: datetime) -> int:
    """Forget messages of over a month ago. This will delete them, whatever became of them, and return how many."""
    old = Message.objects.using("platform").filter(pk__lt=ids.first_at(now - _KEPT))
    return old.delete()[0]


def suppress(*, channel: str, address: str, reason: str, now: datetime) -> None:
    """Send nothing more to an address. This will write it on the list, by its hash, where it is not on it."""
    digest, said = _digest(channel, address), {"id": ids.new(now), "reason": reason, "created_at": now}
    # What was lifted is a new entry from now on, and the newest.
    lifted = Suppression.objects.filter(channel=channel, digest=digest, lifted_at__isnull=False)
    if not lifted.update(**said, lifted_at=None):
        new = Suppression(channel=channel, digest=digest, **said)
        Suppression.objects.bulk_create([new], ignore_conflicts=True)


def suppression_of(*, channel: str, address: str) -> Suppression | None:
    """What stops messages to an address, if anything does."""
    return _standing(channel, address).first()


def lift(*, identifier: UUID, now: datetime) -> bool:
    """Send to an address again. This will take it off the list, once, and say whether it was on it."""
    return bool(Suppression.objects.filter(pk=identifier, lifted_at__isnull=True).update(lifted_at=now))


def _row(letter: Letter, *, is_suppressed: bool, now: datetime) -> Message:
    return Message(
        id=ids.new(now),
        channel=letter.channel,
        address=masked(letter.address) if letter.channel == SMS else letter.address,
        sealed_address=bodies.seal(letter.address) if letter.channel == SMS else "",
        template=letter.template,
        language=letter.language,
        subject=letter.subject,
        body=bodies.seal(letter.body),
        status=SUPPRESSED if is_suppressed else QUEUED,
        created_at=now,
        next_attempt_at=None if is_suppressed else now,
    )


def _standing(channel: str, address: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(channel=channel, digest=_digest(channel, address), lifted_at__isnull=True)


def _settle(message: Message, **fields: Any) -> None:
    Message.objects.filter(pk=message.pk, status=QUEUED).update(**fields)


def _channel(name: str) -> Channel:
    return import_string(settings.MESSAGE_CHANNELS[name])()


def _digest(channel: str, address: str) -> bytes:
    known_as = address.strip().lower() if channel == EMAIL else "".join(address.split())
    return hashlib.sha256(f"{channel}:{known_as}".encode()).digest()
