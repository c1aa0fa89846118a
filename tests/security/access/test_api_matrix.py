"""Every method of the API × every kind of key: the exact answer, and a refusal leaves the database as it was.

What a method asks for it says itself (`@endpoint(permission="refunds:write", publishable=…)`), so a
new one needs no line here. Ids in addresses are those of the café's test book, as its own lists
give them: another merchant's key and the café's own live key look for the very same objects.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from merchant_platform.kernel.api.doors import Endpoint
from merchant_platform.kernel.api.openapi import endpoints
from security.credentials import keys, networks
from security.credentials.authentication import memory
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey
from tests.cast import NOW, Api
from tests.members.people import join
from tests.security.access import table
from tests.security.access.objects import Objects
from tests.security.access.stillness import Stillness, taken_back

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A2"),
    pytest.mark.requirement("A44"),
]


@dataclass(frozen=True)
class Method:
    """One method of one address."""

    verb: str
    address: str
    endpoint: Endpoint

    @property
    def resource(self) -> str:
        return self.endpoint.permission.partition(":")[0]

    @property
    def has_object(self) -> bool:
        return "{" in self.address

    @property
    def name(self) -> str:
        return f"{self.verb} {self.address}"


METHODS = [Method(verb, address.removeprefix("/v1/"), each) for address, verb, each in endpoints()]
RESOURCES = sorted({method.resource for method in METHODS})
NO_KEY, REVOKED, NONSENSE, ELSEWHERE = "no key", "a revoked key", "no such key", "a key of another network"
PUBLIC, OTHERS_WRITE = "a publishable key", "a restricted key for all else"
READS, WRITES, ALL = "a restricted key that reads it", "a restricted key that writes it", "a secret key"
STRANGER, LIVE = "another merchant's key", "the other mode's key"


class Keys:
    """One of each kind; those that depend on a resource are made for each."""

    def __init__(self, book: Any, live_book: Any, other_book: Any) -> None:
        self._book = book
        self._others = {resource: self._restricted(self._all_but(resource)) for resource in RESOURCES}
        beside = table.API_BESIDE
        self._reads = {each: self._restricted({each: "read"} | beside.get(each, {})) for each in RESOURCES}
        self._writes = {each: self._restricted({each: "write"} | beside.get(each, {})) for each in RESOURCES}
        self._fixed = {
            NO_KEY: None,
            NONSENSE: "sk_test_" + "0" * 43,
            REVOKED: self._made(SECRET),
            ELSEWHERE: self._made(SECRET),
            PUBLIC: self._made(PUBLISHABLE),
            ALL: self._made(SECRET),
            STRANGER: keys.make(book=other_book, kind=SECRET, now=NOW)[1],
            LIVE: keys.make(book=live_book, kind=SECRET, now=NOW)[1],
        }
        keys.revoke(key=self._row(REVOKED), now=NOW)
        networks.allow(key=self._row(ELSEWHERE), networks=["203.0.113.0/24"])
        memory.polled_at = float("-inf")

    def of(self, method: Method) -> dict[str, Api]:
        """What can be shown at a method, by its name."""
        resource = method.resource
        shown = {
            **self._fixed,
            OTHERS_WRITE: self._others[resource],
            READS: self._reads[resource],
            WRITES: self._writes[resource],
        }
        return {name: Api(text) for name, text in shown.items()}

    def _row(self, name: str) -> ApiKey:
        return ApiKey.objects.get(digest=keys.digest(self._fixed[name] or ""))

    def _made(self, kind: str, permissions: dict[str, str] | None = None) -> str:
        return keys.make(book=self._book, kind=kind, permissions=permissions, now=NOW)[1]

    def _restricted(self, permissions: dict[str, str]) -> str:
        return self._made(RESTRICTED, permissions)

    def _all_but(self, resource: str) -> dict[str, str]:
        return {each: "write" for each in RESOURCES if each != resource}


def expected(method: Method, key: str) -> int | None:
    """The status that a key gets; None where it is let in."""
    if key in (NO_KEY, REVOKED, NONSENSE):
        return 401
    if key in (ELSEWHERE, OTHERS_WRITE) or (key == READS and method.endpoint.writes):
        return 403
    if key == PUBLIC:
        return None if method.endpoint.publishable else 403
    if key == LIVE and method.address in table.API_TEST_ONLY:
        return 403
    return 404 if key in (STRANGER, LIVE) and method.has_object else None


class TestApi:
    def test_answers_each_key_as_the_method_says(self, api_ids, book, live_book, other_book, make_customer, tried):
        others = {STRANGER: other_book, LIVE: live_book}
        for theirs in others.values():
            make_customer(theirs)
            join(theirs, name="Guest")
        kinds, still = Keys(book, live_book, other_book), Stillness()
        wrong, count = [], 0
        for method in METHODS:
            path = method.address.replace("{id}", api_ids.get(method.address.partition("/{")[0], ""))
            wanted = table.API_SENT.get(method.address, {})
            for key, api in kinds.of(method).items():
                count += 1
                objects = Objects(others.get(key, book))
                sent = {name: objects.shown(value) for name, value in wanted.items()}
                ask = partial({"GET": api.get, "POST": api.post, "DELETE": api.delete}[method.verb], path, sent)
                reply, has_written = taken_back(ask)
                if reply.status in (401, 403, 404) and has_written:
                    reply = ask()
                said = expected(method, key)
                if said is not None and reply.status != said:
                    wrong.append((method.name, key, f"told {reply.status}, the table says {said}", reply.json))
                elif said == 404 and (reply.error["code"] != "resource_missing" or "param" in reply.error):
                    wrong.append((method.name, key, "what is another's is not told like what never was", reply.json))
                elif said is None and (reply.status in (401, 403, 405) or reply.status >= 500):
                    wrong.append((method.name, key, f"told {reply.status}, and it should be let in", reply.json))
                elif said is None and method.verb == "GET" and key == ALL and reply.status != 200:
                    wrong.append((method.name, key, f"told {reply.status}: the matrix would prove nothing", reply.json))
                elif reply.status in (401, 403, 404) and not still.is_kept():
                    wrong.append((method.name, key, f"told {reply.status}, and changes in {still.changed()}"))
                    still = Stillness()

        tried(methods=len(METHODS), keys=11, requests=count)
        assert not wrong, "\n".join(str(each) for each in wrong)
