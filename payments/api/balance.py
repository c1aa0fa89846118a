"""/v1/balance and /v1/balance_transactions: a ledger entry is a balance transaction."""

from datetime import datetime
from typing import Annotated, Any

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Currency, Id, InvalidParameter, ListParams, UpTo
from merchant_platform.kernel.clock import unix
from payments.api.addresses import mode, not_here, path_id
from payments.intents.models import Attempt, Refund
from payments.ledger import queries as ledger
from payments.ledger.chart import MERCHANT

# What a balance transaction is called on the wire, by the entry's kind.
KINDS = {"charge": ("payment", "charge", "ch"), "refund": ("payment_refund", "refund", "re"),
         "refund_failure": ("payment_failure_refund", "refund_failure", "re")}  # fmt: skip
_SOURCES: dict[str, type[Attempt] | type[Refund]] = {"ch": Attempt, "re": Refund}


class ListTransactions(ListParams):
    currency: Currency | None = None
    source: Id | None = None
    type: Annotated[str, UpTo(50)] | None = None


@endpoint(permission="balance:read", returns="balance")
def retrieve_balance(call: Call) -> dict[str, Any]:
    """Retrieve the balance: what the platform owes the merchant, exact at this moment"""
    accounts = ledger.accounts(MERCHANT, owner_id=tenancy.book_id(), mode=mode(call))
    owed = [
        {"amount": total, "currency": account.unit.partition("/")[0].lower(), "source_types": {"wallet": total}}
        for account, total in zip(accounts, ledger.totals(accounts), strict=True)
    ] or [_nothing(call)]
    # Wallet money is in the platform's hands already, so all of it is available at once.
    pending = [{**item, "amount": 0, "source_types": {"wallet": 0}} for item in owed]
    return {
        "object": "balance",
        "available": owed,
        "livemode": call.caller.livemode,
        "pending": pending,
    }


@endpoint(permission="balance_transactions:read", returns="balance_transaction")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a balance transaction"""
    row = ledger.entries(KINDS).filter(pk=path_id(call, "txn")).first()
    if row is None:
        raise not_here(call, "txn")
    return render(row, now=call.now)


@endpoint(permission="balance_transactions:read", params=ListTransactions, returns="balance_transaction", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all balance transactions"""
    rows = ledger.entries(KINDS)
    if call.params.currency:
        rows = rows.filter(unit__startswith=f"{call.params.currency}/")
    if call.params.type:
        rows = rows.filter(kind__in=[kind for kind, (name, *_) in KINDS.items() if name == call.params.type])
    if call.params.source:
        rows = rows.filter(**_source(call.params.source))
    return paging.page(
        rows,
        call.params,
        prefix="txn",
        url=call.url,
        render=lambda found: [render(row, now=call.now) for row in found],
    )


def render(row: ledger.Entry, *, now: datetime) -> dict[str, Any]:
    """A balance transaction as the API shows it."""
    name, category, prefix = KINDS[row.kind]
    currency = row.unit.partition("/")[0].lower()
    fee_details = [
        {
            "amount": row.fee_minor,
            "application": None,
            "currency": currency,
            "description": "Processing fee" if row.fee_minor > 0 else "Processing fee returned",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": ids.show("txn", row.pk),
        "object": "balance_transaction",
        "amount": row.amount_minor,
        "available_on": unix(row.available_at),
        "balance_type": "payments",
        "created": unix(row.effective_at),
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": row.fee_minor,
        "fee_details": fee_details if row.fee_minor else [],
        "net": row.net_minor,
        "reporting_category": category,
        "source": ids.show(prefix, row.source_id) if row.source_id else None,
        "status": "available" if row.available_at <= now else "pending",
        "type": name,
    }


def _source(text_: str) -> dict[str, Any]:
    """The entry that a charge or a refund names: by its own id, so that no index of sources is needed."""
    prefix = text_.partition("_")[0]
    if prefix not in _SOURCES:
        raise InvalidParameter(f"No such source: '{text_[:100]}'", code="resource_missing", param="source")
    source_id = paging.identifier(prefix, text_, param="source")
    return {"pk__in": _SOURCES[prefix].objects.filter(pk=source_id, entry_id__isnull=False).values("entry_id")}


def _nothing(call: Call) -> dict[str, Any]:
    currency = call.caller.default_currency.lower()
    return {"amount": 0, "currency": currency, "source_types": {"wallet": 0}}


urlpatterns = [
    door("balance", GET=retrieve_balance),
    door("balance_transactions", GET=list_),
    door("balance_transactions/<id>", GET=retrieve),
]
