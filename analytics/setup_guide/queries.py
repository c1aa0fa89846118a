"""How far a merchant has come: each step is asked of the rows that taking it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists

from analytics.setup_guide.models import GuideDismissal
from payments.catalog.models import Product
from payments.intents.models import PaymentIntent
from payments.intents.states import SUCCEEDED
from payments.webhooks.models import WebhookEndpoint
from security.merchants.models import Book, Staff, Store

STORE, PRODUCT, KEY, PAYMENT, ENDPOINT, COLLEAGUE = "store", "product", "key", "payment", "endpoint", "colleague"
STEPS = (STORE, PRODUCT, KEY, PAYMENT, ENDPOINT, COLLEAGUE)
# The first payment is looked for among the newest: a book without one would be read to its end.
_PAYMENTS_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """Which steps are taken, in the order of the guide."""

    steps: Mapping[str, bool]
    is_dismissed: bool

    @property
    def done(self) -> int:
        return sum(self.steps.values())

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)


def progress(*, book: Book, staff: Staff) -> Progress:
    """How far the merchant has come in the open book, and whether this member of staff wants to know. One statement."""
    merchant_id = book.merchant_id
    newest = PaymentIntent.objects.order_by("-pk").values("pk")[:_PAYMENTS_LOOKED_AT]
    asked = {
        STORE: Exists(Store.objects.filter(merchant_id=merchant_id, closed_at__isnull=True)),
        PRODUCT: Exists(Product.objects.filter(deleted_at__isnull=True)),
        KEY: Exists(Book.objects.filter(pk=book.pk, keys__isnull=False, keys__revoked_at__isnull=True)),
        PAYMENT: Exists(PaymentIntent.objects.filter(pk__in=newest, status=SUCCEEDED)),
        ENDPOINT: Exists(WebhookEndpoint.objects.filter(deleted_at__isnull=True)),
        COLLEAGUE: Exists(Staff.objects.filter(merchant_id=merchant_id, left_at__isnull=True).exclude(pk=staff.pk)),
        "is_dismissed": Exists(GuideDismissal.objects.filter(book_id=book.pk, staff=staff)),
    }
    answers = Book.objects.filter(pk=book.pk).values_list(*asked.values()).get()
    found = dict(zip(asked, answers, strict=True))
    return Progress({step: found[step] for step in STEPS}, found["is_dismissed"])
