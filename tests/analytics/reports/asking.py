"""A café that sold something, a hand to ask with, and a folder for the files."""

from datetime import date
from typing import Any

import pytest

from analytics.reports import operations, working
from analytics.reports.models import Report
from analytics.reports.operations import Wanted
from merchant_platform.kernel import clock, tenancy
from payments.hand import Hand
from security.audit.operations import Actor
from tests.payments.acts import pay, refund
from tests.staff import make_staff

FIRST, LAST = date(2026, 2, 20), date(2026, 3, 2)
LINES = [
    {"description": "Tea", "unit_amount": 3_000, "quantity": 2, "category": "tea"},
    {"description": "Cake", "unit_amount": 4_000, "category": "=cake"},
]


@pytest.fixture
def folder(settings, tmp_path):
    """Where files of reports stand."""
    settings.REPORTS_DIR = str(tmp_path / "reports")
    return tmp_path / "reports"


@pytest.fixture
def owner(merchant):
    return make_staff(merchant, "owner")


@pytest.fixture
def sold(api, customer, wallet_method):
    """An order of 100.00 and a payment of 20.00, of which 5.00 came back."""
    method = wallet_method(customer)
    order = api.post("orders", {"currency": "cny", "line_items": LINES}).json
    pay(api, method, 10_000, payment_details={"order_reference": order["id"]})
    refund(api, pay(api, method, 2_000).json, 500)


@pytest.fixture
def ask(book, owner, folder):
    """Asks for a report of the café, and has it made unless told otherwise."""

    def asked(kind: str, form: str = "csv", *, language: str = "en", is_made: bool = True, **days: Any) -> Report:
        wanted = Wanted(kind, form, language, days.get("first", FIRST), days.get("last", LAST))
        hand = Hand(actor=Actor.staff(owner.pk), book=book, now=book.now)
        with tenancy.within(book.pk):
            report = operations.ask(wanted, hand=hand, at=clock.wall(), staff_id=owner.pk)
        if is_made:
            assert working.run_due() == 1
        return again(report)

    return asked


def again(report: Report) -> Report:
    """The row as it stands now."""
    return Report.objects.using("platform").get(pk=report.pk)
