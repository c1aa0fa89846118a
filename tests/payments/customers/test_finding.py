"""Customers are found by how a name or an e-mail address begins and by how a telephone number ends."""

import pytest

from merchant_platform.kernel import tenancy
from payments.customers import finding
from payments.customers.models import Customer
from tests.cast import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_customer, book):
    return {
        name: make_customer(book, name=name, email=email, phone=phone)
        for name, email, phone in (
            ("Lin Mei", "Lin.Mei@example.com", "+86 138 0013 8000"),
            ("LIN  Wei", "wei@example.com", "021-5555-8000"),
            ("林小梅", "mei@example.com", None),
            ("Zoë", None, "8000"),
            ("10 Downing Street", None, None),
        )
    }


def found(book, text):
    condition, _ = finding.condition(text)
    with tenancy.within(book.pk):
        return sorted(Customer.objects.filter(condition).values_list("name", flat=True))


class TestCondition:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("lin", ["LIN  Wei", "Lin Mei"]),
            ("  LIN M ", ["Lin Mei"]),
            ("林", ["林小梅"]),
            ("zoë", ["Zoë"]),
            ("10 down", ["10 Downing Street"]),
            ("mei", []),
            ("lin.mei@", ["Lin Mei"]),
            ("WEI@EXAMPLE.com", ["LIN  Wei"]),
            ("8000", ["LIN  Wei", "Lin Mei", "Zoë"]),
            ("138 0013 8000", ["Lin Mei"]),
            ("8613800138000", ["Lin Mei"]),
            ("(021) 5555 8000", ["LIN  Wei"]),
            ("%", []),
            ("_in", []),
            ("cus_nothing", []),
        ],
    )
    def test_finds_by_what_was_typed(self, book, people, text, names):
        assert found(book, text) == names

    def test_finds_one_by_its_id(self, book, people):
        assert found(book, f" {shown('cus', people['Zoë'])} ") == ["Zoë"]

    def test_follows_a_change(self, api, book, people):
        api.post(f"customers/{shown('cus', people['Zoë'])}", {"name": "Zora", "phone": ""})

        assert (found(book, "zo"), found(book, "zoë"), found(book, "8000")) == (["Zora"], [], ["LIN  Wei", "Lin Mei"])
