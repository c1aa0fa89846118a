"""/v1/reports, after Stripe's reporting runs: asked for, made in the background, taken by a link of minutes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from analytics.reports import hints, objects, operations
from analytics.reports.kinds import KINDS
from analytics.reports.models import Report
from analytics.reports.operations import Wanted
from merchant_platform.kernel import clock
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Currency, InvalidParameter, ListParams, Params, UpTo
from merchant_platform.kernel.errors import Forbidden
from payments.api.addresses import origin, path_id
from payments.hand import Hand
from security.audit.operations import Actor
from security.merchants import queries as merchants

Day = Annotated[str, UpTo(10)]
ReportType = Literal["sales", "members", "tax", "books"]


class CreateReport(Params):
    report_type: ReportType
    # Days of the merchant's, both included.
    since: Day
    until: Day
    currency: Currency | None = None
    format: Literal["csv", "xlsx", "pdf"] = "csv"
    language: Literal["en", "zh-hans"] | None = None


class ListReports(ListParams):
    report_type: ReportType | None = None
    status: Literal["queued", "running", "succeeded", "failed", "canceled", "expired"] | None = None


@endpoint(permission="reports:write", params=CreateReport, returns="report")
def create(call: Call) -> dict[str, Any]:
    """Ask for a report; it is made in the background"""
    params = call.params
    _check_kind(call, params.report_type)
    hand = _hand(call)
    wanted = Wanted(
        kind=params.report_type,
        format=params.format,
        language=params.language or _language(hand),
        first=_day(params.since, "since"),
        last=_day(params.until, "until"),
        currency=params.currency or "",
    )
    report = operations.ask(wanted, hand=hand, at=clock.wall(), key_id=call.caller.key_id, origin=origin(call))
    hints.after_commit()
    return _shown(report, hand)


@endpoint(permission="reports:read", returns="report")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a report, with a fresh link to its file"""
    return _shown(_found(call), _hand(call))


@endpoint(permission="reports:write", returns="report")
def cancel(call: Call) -> dict[str, Any]:
    """Cancel a report that is not finished"""
    hand = _hand(call)
    return _shown(operations.cancel(_found(call), hand=hand, at=clock.wall(), origin=origin(call)), hand)


@endpoint(permission="reports:write", returns="report")
def retry(call: Call) -> dict[str, Any]:
    """Have a report made again that failed, was canceled or expired"""
    report, hand = _found(call), _hand(call)
    _check_kind(call, report.kind)
    shown = _shown(operations.again(report, hand=hand, at=clock.wall()), hand)
    hints.after_commit()
    return shown


@endpoint(permission="reports:write", returns="deleted_report")
def delete(call: Call) -> dict[str, Any]:
    """Delete a report and its file"""
    report = _found(call)
    shown = objects.deleted(report)
    operations.remove(report, hand=_hand(call))
    return shown


@endpoint(permission="reports:read", params=ListReports, returns="report", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List the reports that keys asked for"""
    hand, readable = _hand(call), [name for name, kind in KINDS.items() if call.caller.may(kind.permission)]
    rows = operations.own().filter(kind__in=readable)
    if call.params.report_type:
        rows = rows.filter(kind=call.params.report_type)
    if call.params.status:
        rows = rows.filter(status=call.params.status)
    return paging.page(
        rows, call.params, prefix="rpt", url=call.url, render=lambda found: [_shown(each, hand) for each in found]
    )


def _found(call: Call) -> Report:
    report = operations.find(path_id(call, "rpt"), staff_id=None)
    _check_kind(call, report.kind)
    return report


def _shown(report: Report, hand: Hand) -> dict[str, Any]:
    return objects.report(report, merchant=hand.book.merchant, livemode=hand.book.livemode, at=clock.wall())


def _check_kind(call: Call, kind: str) -> None:
    """A report says what its numbers say elsewhere: who may not read them there may not have them here."""
    needed = KINDS[kind].permission
    if not call.caller.may(needed):
        raise Forbidden(f"The provided key does not have the permission '{needed}'.")


def _hand(call: Call) -> Hand:
    return Hand(actor=Actor.key(call.caller.key_id), book=merchants.book(call.book_id), now=call.now)


def _language(hand: Hand) -> str:
    return "zh-hans" if hand.book.merchant.language.lower().startswith("zh") else "en"


def _day(text: str, param: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  (a day has no zone)
    except ValueError as error:
        raise InvalidParameter("Write a day as YYYY-MM-DD.", param=param) from error


urlpatterns = [
    door("reports", GET=list_, POST=create),
    door("reports/<id>", GET=retrieve, DELETE=delete),
    door("reports/<id>/cancel", POST=cancel),
    door("reports/<id>/retry", POST=retry),
]
