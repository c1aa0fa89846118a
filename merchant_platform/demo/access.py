"""How people and programs get in: passwords, seeds and keys, kept as text in DATA_DIR/demo.json and nowhere else.

The database has only hashes of them. Who has the file and finds its keys in the database
keeps it; otherwise everything is made anew and what was handed out before is revoked.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password

from merchant_platform.demo.people import CONSUMERS, OPERATOR, OTHER_STAFF, STAFF, Employee
from merchant_platform.demo.shops import BOOKSHOP, CAFE
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Unauthenticated
from payments.customers.models import Customer
from security.access.roles import OPERATOR as OPERATOR_ROLE
from security.authentication import operations as authentication
from security.credentials import keys
from security.credentials.authentication import authenticate
from security.identity.models import User
from security.merchants.models import TEST, Book, Merchant

KEY_NAME = "Demo"
# A name in the file to the book and kind of its key.
_KEYS = {
    "secret_key": (CAFE.slug, keys.SECRET),
    "publishable_key": (CAFE.slug, keys.PUBLISHABLE),
    "other_secret_key": (BOOKSHOP.slug, keys.SECRET),
}
# Hashing is slow on purpose, most of a second each, so those who stand on the same side share a password.
_GROUPS = {
    "staff": [employee.person.email for employee in (*STAFF, *OTHER_STAFF)],
    "operator": [OPERATOR.email],
    "consumers": [person.email for person in CONSUMERS],
}


@dataclass(frozen=True, slots=True)
class Password:
    text: str
    hashed: "Future[str]"


Passwords = Mapping[str, Password]


@contextmanager
def new_passwords() -> Iterator[Passwords]:
    """A new password for each group, hashed in threads meanwhile: a hash keeps no other thread waiting."""
    with ThreadPoolExecutor(1, thread_name_prefix="password") as thread:
        texts = {group: secrets.token_urlsafe(12) for group in _GROUPS}
        yield {group: Password(text, thread.submit(make_password, text)) for group, text in texts.items()}


def handed_out(path: Path) -> dict[str, Any] | None:
    """What the file says, if there is one and all its keys open the books of this database."""
    try:
        said = json.loads(path.read_text())
        texts = {name: str(said[name]) for name in _KEYS}
        _ = said["consumers"], [login["totp_secret"] for login in (*said["staff"], *said["other_staff"])]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    books = _books()
    is_ours = all(_opens(texts[name], books[slug], kind) for name, (slug, kind) in _KEYS.items())
    return said if is_ours else None


def grant(passwords: Passwords, *, now: datetime) -> dict[str, Any]:
    """Let everybody of the demo world in. This will set the passwords, revoke older demo keys and make new ones.

    Returns what goes into the file, but the platform's address.
    """
    books = _books()
    for book in books.values():
        for key in book.keys.filter(name=KEY_NAME, revoked_at__isnull=True):
            keys.revoke(key=key, now=now)
    made = {
        name: keys.make(book=books[slug], kind=kind, name=KEY_NAME, now=now)[1] for name, (slug, kind) in _KEYS.items()
    }
    for group, password in passwords.items():
        User.objects.filter(email__in=_GROUPS[group]).update(password=password.hashed.result())
    users = {
        user.email: user
        for user in User.objects.filter(email__in=[email for group in _GROUPS.values() for email in group])
    }
    authentication.vouch_for_email(users=users.values())
    seeds = {email: authentication.give_app(user=users[email]) for email in (*_GROUPS["staff"], *_GROUPS["operator"])}
    return {
        "merchant": ids.show("mer", books[CAFE.slug].merchant_id),
        "merchant_slug": CAFE.slug,
        **made,
        "staff": [
            *_logins(STAFF, passwords["staff"], seeds),
            *_logins((Employee(OPERATOR_ROLE, OPERATOR),), passwords["operator"], seeds),
        ],
        "consumers": _consumers(books[CAFE.slug], passwords["consumers"]),
        "other_merchant_slug": BOOKSHOP.slug,
        "other_staff": _logins(OTHER_STAFF, passwords["staff"], seeds),
    }


def hand_out(path: Path, said: Mapping[str, Any], *, base_url: str) -> None:
    """Write the file. This will replace it in one step; only its owner reads it."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"base_url": "", **said} | {"base_url": base_url}, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _books() -> dict[str, Book]:
    """The test books of both shops."""
    return {
        merchant.slug: merchant.books.get(mode=TEST)
        for merchant in Merchant.objects.filter(slug__in=[CAFE.slug, BOOKSHOP.slug])
    }


def _opens(text: str, book: Book, kind: str) -> bool:
    try:
        holder = authenticate(text)
    except Unauthenticated:
        return False
    return (holder.book_id, holder.kind) == (book.pk, kind)


def _logins(employees: tuple[Employee, ...], password: Password, seeds: Mapping[str, str]) -> list[dict[str, str]]:
    """The seed goes into any authenticator app, which then shows the second factor's code."""
    return [
        {
            "email": employee.person.email,
            "password": password.text,
            "role": employee.role,
            "totp_secret": seeds[employee.person.email],
        }
        for employee in employees
    ]


def _consumers(book: Book, password: Password) -> list[dict[str, str]]:
    """Those who are customers still: somebody who tries things out may have deleted one."""
    with tenancy.within(book.pk):
        customers = Customer.objects.filter(consumer__user__email__in=_GROUPS["consumers"])
        found = dict(customers.values_list("consumer__user__email", "pk"))
    return [
        {"email": person.email, "password": password.text, "customer": ids.show("cus", found[person.email])}
        for person in CONSUMERS
        if person.email in found
    ]
