"""Points for tests of split tenders: one point is one fen, kept in the ledger, given by `fund`."""

from uuid import UUID

from merchant_platform.kernel import ids
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.ledger import queries as balances
from payments.ledger.chart import AccountRef, Kind, Side
from payments.tenders.port import Completed, GivenBack, Offered, TenderGone
from tests.cast import NOW

UNIT = "PTS.tests/0"
POINTS = Kind("tests_points", Side.CREDIT, is_guarded=True)
ISSUED = Kind("tests_points_issued", Side.DEBIT)
chart.CHART |= {kind.code: kind for kind in (POINTS, ISSUED)}
# A hundred points are ¥1.00, and no less can be used.
STEP = 100


def account(customer_id: UUID) -> AccountRef:
    return AccountRef(POINTS, customer_id, UNIT, "test")


def issued(book_id: UUID) -> AccountRef:
    return AccountRef(ISSUED, book_id, UNIT, "test")


def balance(customer_id: UUID) -> int:
    return balances.guarded(account(customer_id)).available_minor


def fund(customer, points: int) -> None:
    """Give a customer of the open book points."""
    ledger.open_accounts([account(customer.pk), issued(customer.book_id)])
    if points:
        _post(f"points:{customer.pk}", issued(customer.book_id), account(customer.pk), points)


class Points:
    name = "points"

    def offered(self, due):
        found = self.look_up(due, due.payer.customer_id) if due.payer.customer_id else None
        return [found] if found and found.available_minor else []

    def look_up(self, due, source_id):
        try:
            points = balance(source_id)
        except Exception:
            return None
        return Offered("points", source_id, "Points", points // STEP * STEP, STEP, STEP, f"{points} points")

    def reserve(self, part, *, now):
        try:
            return ledger.reserve(
                account=account(part.source_id), amount_minor=part.units, reference=part.reference, now=now
            ).pk
        except ledger.InsufficientFunds as error:
            raise TenderGone("There are fewer points now.") from error

    def complete(self, part, *, now, origin):
        hold = balances.holds(part.reference)[part.reference]
        draft = _draft(f"spend:{part.reference}", account(part.source_id), issued(hold.book_id), part.units)
        ledger.complete(hold=hold, account=account(part.source_id), draft=draft, now=now)
        return Completed(draft.id)

    def void(self, part, *, now):
        ledger.void(hold=balances.holds(part.reference)[part.reference], account=account(part.source_id), now=now)

    def refund(self, part, *, refund_id, amount_minor, now, origin):
        hold = balances.holds(part.reference)[part.reference]
        units = part.units * (part.refunded_minor + amount_minor) // part.amount_minor - part.refunded_units
        if not units:
            raise AssertionError("a point is a fen here")
        entry_id = _post(f"return:{refund_id}", issued(hold.book_id), account(part.source_id), units)
        return GivenBack(entry_id, units)


def _draft(reference, debit, credit, points):
    lines = [ledger.Line(debit, credit, points)]
    return ledger.Draft(
        id=ids.new(NOW), reference=reference, kind="tests_points", lines=lines, unit=UNIT, effective_at=NOW
    )


def _post(reference, debit, credit, points):
    draft = _draft(reference, debit, credit, points)
    ledger.post(draft)
    return draft.id
