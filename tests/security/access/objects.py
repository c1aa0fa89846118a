"""The small world's objects, by what an address calls them: `<payment>` is a PaymentIntent of the café's test book."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db.models import Model

from analytics.reports import working
from analytics.reports.models import Report
from members.directory import codes
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.api.openapi import endpoints
from payments.bulk import operations as bulk
from payments.hand import Hand
from payments.intents.models import PaymentIntent
from payments.notes import operations as notes
from payments.saved_views import operations as views
from security.audit.operations import Actor
from security.merchants import invitations
from security.merchants.models import Book, Device, PublicCode, Store
from tests.browser.small_world import made
from tests.cast import NOW
from tests.security.access import table
from tests.security.access.doors import Door


@pytest.fixture
def world(small_world, book, api):
    """The small world, and what no page of it needs but addresses name."""
    owner = small_world.staff["owner"]
    store = Store.objects.filter(merchant=small_world.merchant).earliest("pk")
    Device.objects.create(id=ids.new(NOW), store=store, name="Till 1", created_at=NOW)
    hand = Hand(actor=Actor.staff(owner.pk), book=book, now=NOW)
    with tenancy.within(book.pk):
        invitations.invite(email="new@example.com", role="cashier", store_ids=[], actor=owner, now=clock.wall())
        payment = PaymentIntent.objects.earliest("pk")
        views.save(page="payments", name="Today", query="", is_shared=False, staff_id=owner.pk, hand=hand)
        notes.add(intent_id=payment.pk, body="Called back.", author_id=owner.pk, token=uuid4(), hand=hand)
        bulk.ask(act="refund", intent_ids=[payment.pk], staff_id=owner.pk, token=uuid4(), hand=hand, at=clock.wall())
    working.run_due()
    made(api.post("setup_intents", {}))
    line = {"price_data": {"currency": "cny", "unit_amount": 900, "product_data": {"name": "Tea"}}, "quantity": 1}
    made(
        api.post("checkout/sessions", {"mode": "payment", "success_url": "https://cafe.example/", "line_items": [line]})
    )
    return small_world


@pytest.fixture
def api_ids(world, book, api) -> dict[str, str]:
    """What stands for {id} in the addresses of the API: the first object that the list before it shows."""
    objects, found = Objects(book), {}
    for address, _, _ in endpoints():
        top, _, rest = address.removeprefix("/v1/").partition("/{")
        if rest and top not in found:
            named = table.API_IDS.get(top)
            rows = [] if named else api.get(top).json.get("data", [])
            assert named or rows, f"No id for /v1/{top}/…: add one to small_world.py, or to API_IDS in table.py."
            found[top] = objects.shown(named) if named else rows[0]["id"]
    return found


@dataclass(frozen=True)
class Objects:
    """What addresses name, as it is in one book and at its merchant."""

    book: Book

    def parts(self, door: Door) -> dict[str, str]:
        """The parts of an address, each belonging to the one before it."""
        found: dict[str, str] = {}
        below: Model | None = None
        for part in reversed(door.parts):
            if part in table.WORDS:
                found[part] = table.WORDS.get(f"{door.name} {part}", table.WORDS[part])
                continue
            model = model_of(part)
            below = (self._above(below, model) if below is not None else None) or self._any(model)
            found[part] = _shown(below)
        return found

    def form(self, door: Door) -> dict[str, str]:
        """What a door has to be sent to get as far as looking for its object."""
        return {name: self.shown(value) for name, value in table.SENT.get(door.name, {}).items()}

    def shown(self, value: str) -> str:
        """The id of a `<payment>`; anything else as it is."""
        return _shown(self._any(model_of(value[1:-1]))) if value.startswith("<") else value

    def _any(self, model: type[Model]) -> Model:
        found = _all(model).filter(**self._scope(model)).order_by("pk").first()
        assert found is not None, (
            f"The small world has no {model._meta.label}: add one to tests/browser/small_world.py."
        )
        return found

    def _above(self, below: Model, model: type[Model]) -> Model | None:
        """The row that another one points at."""
        named = f"{model._meta.model_name}_id"
        for field in below._meta.concrete_fields:
            if field.related_model is model or field.name == named:
                return _all(model).get(pk=getattr(below, field.attname))
        return None

    def _scope(self, model: type[Model]) -> dict[str, Any]:
        if model is PublicCode:
            return {"book_id": self.book.pk, "kind": codes.KIND}
        if model is Report:
            return {"book_id": self.book.pk, "staff__isnull": False, "status": "succeeded"}
        if is_of_a_book(model):
            return {"book_id": self.book.pk}
        names = {field.attname for field in model._meta.concrete_fields}
        if not names & {"merchant_id", "store_id"}:
            return {}  # a wallet is nobody's but a consumer's: those of the small world pay at the café
        return {"merchant_id" if "merchant_id" in names else "store__merchant_id": self.book.merchant_id}


@cache
def model_of(part: str) -> type[Model]:
    """The model of what an address calls an object."""
    if part in table.OBJECTS:
        return apps.get_model(table.OBJECTS[part])
    named = [model for model in apps.get_models() if model._meta.model_name == part and hasattr(model, "id_prefix")]
    assert named, f"An address names a <{part}>: add it to OBJECTS or WORDS in tests/security/access/table.py."
    return named[0]


def is_of_a_book(model: type[Model]) -> bool:
    """Whether it is one mode's; the rest is a merchant's in all of them."""
    return any(field.attname == "book_id" for field in model._meta.concrete_fields)


def _all(model: type[Model]) -> Any:
    return model._base_manager.using("owner")


def _shown(row: Model) -> str:
    if isinstance(row, PublicCode):
        return row.code
    return ids.show(row.id_prefix, row.pk)  # type: ignore[attr-defined]
