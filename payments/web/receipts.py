"""A receipt, /r/<code>: to be read, printed and kept by whoever was given its address."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from payments.checkout import queries as checkout
from payments.receipts import operations, queries
from payments.receipts.models import Receipt
from security.merchants import codes


@require_safe
def receipt(request: HttpRequest, code: str) -> HttpResponse:
    """One receipt. A code that opens nothing is 404."""
    found = codes.find(kind=operations.CODE_KIND, code=code)
    if found is None:
        raise Http404
    book = found.book
    with tenancy.within(book.pk):
        paper = queries.paper(Receipt.objects.get(pk=found.object_id))
        reference = checkout.reference_of(paper.order)
    context = {
        "paper": paper,
        "receipt": paper.receipt,
        "order": paper.order,
        "order_number": reference or ids.show("ord", paper.order.pk),
        "merchant": book.merchant,
        "zone": book.merchant.zone,
        "is_live": book.livemode,
    }
    response = render(request, "receipts/receipt.html", context)
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    return response
