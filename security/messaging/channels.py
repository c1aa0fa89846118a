"""The ways a message goes out: a port, an SMTP server behind Django's own mail, an SMS gateway over HTTP.

settings.MESSAGE_CHANNELS names a class a channel; another gateway is another class.
"""

import smtplib
from typing import Protocol

import httpx
from django.conf import settings
from django.core.mail import EmailMessage

_TIMEOUT_SECONDS = 10.0
_REFUSED_FOR_GOOD = range(500, 600)


class Bounced(Exception):
    """The address does not take messages, and will not: it is not tried again."""


class NotSent(Exception):
    """It did not work this time. The text names no address and no code."""


class Channel(Protocol):
    def send(self, *, address: str, subject: str, body: str) -> None:
        """Hand a message over. Raises Bounced and NotSent."""


class Email:
    """By Django's mail (EMAIL_URL)."""

    def send(self, *, address: str, subject: str, body: str) -> None:
        try:
            # A name goes into a header: it stays on one line.
            EmailMessage(" ".join(subject.split()), body, to=[address]).send()
        except ValueError:
            # A name of a host that cannot be written in ASCII (IDNA): nobody can be there.
            raise Bounced("the address cannot be written") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            if codes and all(code in _REFUSED_FOR_GOOD for code in codes):
                raise Bounced(f"SMTP {min(codes)}") from None
            raise NotSent("the server did not take the address now") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(type(error).__name__) from None


class Sms:
    """By a gateway that takes {"to", "text"} as JSON with a bearer token (SMS_URL, SMS_TOKEN)."""

    def send(self, *, address: str, subject: str, body: str) -> None:
        if not settings.SMS_URL:
            raise NotSent("no SMS gateway is set up (SMS_URL)")
        try:
            answer = httpx.post(
                settings.SMS_URL,
                json={"to": address, "text": body},
                headers={"Authorization": f"Bearer {settings.SMS_TOKEN}"},
                timeout=_TIMEOUT_SECONDS,
            )
        except httpx.HTTPError as error:
            raise NotSent(type(error).__name__) from None
        if answer.status_code in (404, 410, 422):
            raise Bounced(f"HTTP {answer.status_code}")
        if not answer.is_success:
            raise NotSent(f"HTTP {answer.status_code}")
