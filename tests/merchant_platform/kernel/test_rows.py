from uuid import uuid4

import pytest
from django.db.models import Model

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.rows import unsaved
from payments.customers.models import Customer
from payments.intents.models import Attempt, PaymentIntent
from payments.orders.models import Order, OrderLine
from tests.cast import NOW


def columns(row: Model) -> dict:
    """What a row says by itself: what the database computes is not there before it is saved."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.generated}


class TestUnsaved:
    @pytest.mark.parametrize("model", [Attempt, Customer, Order, OrderLine, PaymentIntent])
    def test_is_what_the_model_itself_makes(self, model):
        values = {"id": uuid4(), "book_id": uuid4(), "created_at": NOW} if model is not OrderLine else {"id": uuid4()}

        assert columns(unsaved(model, **values)) == columns(model(**values))
        assert unsaved(model, **values)._state.adding

    def test_shares_no_default_between_two_rows(self):
        one, other = unsaved(Customer), unsaved(Customer)

        one.metadata["table"] = "7"

        assert other.metadata == {}

    @pytest.mark.django_db
    def test_can_be_saved(self, book):
        row = unsaved(Customer, id=uuid4(), book_id=book.pk, name="Lin", created_at=NOW)

        with tenancy.within(book.pk):
            row.save(force_insert=True)

            assert columns(Customer.objects.get()) == columns(row)
