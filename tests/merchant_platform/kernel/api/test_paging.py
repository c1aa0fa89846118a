from datetime import timedelta

import pytest

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.params import InvalidParameter, ListParams
from merchant_platform.kernel.clock import unix
from payments.customers.models import Customer
from tests.cast import NOW, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(book):
    """Seven customers, one a minute; the newest last."""
    with tenancy.within(book.pk):
        return [_customer(book, at=NOW + timedelta(minutes=minute)) for minute in range(7)]


def _customer(book, *, at) -> Customer:
    return Customer.objects.create(id=ids.new(at), book_id=book.pk, created_at=at)


def page(book, rows=None, **params) -> dict:
    with tenancy.within(book.pk):
        return paging.page(
            Customer.objects.all() if rows is None else rows,
            ListParams.read(params, is_typed=True),
            prefix="cus",
            url="/v1/customers",
            render=lambda found: [{"id": shown("cus", row)} for row in found],
        )


def names(answer: dict) -> list[str]:
    return [row["id"] for row in answer["data"]]


def expected(rows, *numbers: int) -> list[str]:
    return [shown("cus", rows[number]) for number in numbers]


def refusal(book, **params) -> tuple[str, str | None]:
    with pytest.raises(InvalidParameter) as refused:
        page(book, **params)
    return refused.value.code, refused.value.param


class TestPage:
    def test_is_a_list_object(self, book):
        assert page(book) == {"object": "list", "data": [], "has_more": False, "url": "/v1/customers"}

    def test_has_the_newest_first(self, book, rows):
        answer = page(book)

        assert names(answer) == expected(rows, 6, 5, 4, 3, 2, 1, 0)
        assert answer["has_more"] is False

    def test_has_no_more_than_its_limit(self, book, rows):
        answer = page(book, limit=3)

        assert names(answer) == expected(rows, 6, 5, 4)
        assert answer["has_more"] is True

    def test_of_exactly_all_rows_has_no_more(self, book, rows):
        assert page(book, limit=7)["has_more"] is False

    def test_goes_on_after_a_row(self, book, rows):
        answer = page(book, limit=3, starting_after=shown("cus", rows[4]))

        assert names(answer) == expected(rows, 3, 2, 1)
        assert answer["has_more"] is True

    def test_ends_after_the_oldest_row(self, book, rows):
        answer = page(book, starting_after=shown("cus", rows[0]))

        assert (names(answer), answer["has_more"]) == ([], False)

    def test_goes_back_before_a_row(self, book, rows):
        answer = page(book, limit=2, ending_before=shown("cus", rows[2]))

        assert names(answer) == expected(rows, 4, 3)
        assert answer["has_more"] is True

    def test_ends_before_the_newest_row(self, book, rows):
        answer = page(book, limit=3, ending_before=shown("cus", rows[4]))

        assert names(answer) == expected(rows, 6, 5)
        assert answer["has_more"] is False

    def test_walks_every_row_once_while_others_come(self, book, rows):
        walked: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = page(book, limit=2, **cursor)
            walked += names(answer)
            with tenancy.within(book.pk):
                _customer(book, at=NOW + timedelta(hours=1))
            if not answer["has_more"]:
                break
            cursor = {"starting_after": answer["data"][-1]["id"]}

        assert walked == expected(rows, 6, 5, 4, 3, 2, 1, 0)

    def test_keeps_the_order_of_rows_of_one_moment(self, book):
        with tenancy.within(book.pk):
            made = [_customer(book, at=NOW) for _ in range(20)]

        first = page(book, limit=12)
        second = page(book, limit=12, starting_after=first["data"][-1]["id"])

        assert names(first) + names(second) == expected(made, *reversed(range(20)))

    def test_may_start_after_a_row_that_its_filter_leaves_out(self, book, rows):
        with tenancy.within(book.pk):
            even = Customer.objects.filter(pk__in=[row.pk for row in rows[::2]])
            answer = page(book, even, starting_after=shown("cus", rows[5]))

        assert names(answer) == expected(rows, 4, 2, 0)

    @pytest.mark.parametrize(
        ("created", "found"),
        [
            ({"gte": 2}, (6, 5, 4, 3, 2)),
            ({"gt": 2}, (6, 5, 4, 3)),
            ({"lte": 2}, (2, 1, 0)),
            ({"lt": 2}, (1, 0)),
            ({"gte": 2, "lt": 4}, (3, 2)),
            ({"gt": 4, "lt": 4}, ()),
        ],
    )
    def test_reads_a_range_of_time(self, book, rows, created, found):
        seconds = {bound: unix(NOW + timedelta(minutes=minute)) for bound, minute in created.items()}

        assert names(page(book, created=seconds)) == expected(rows, *found)

    def test_reads_one_second_whole(self, book):
        with tenancy.within(book.pk):
            first, last, _after = (
                _customer(book, at=NOW + timedelta(milliseconds=millisecond)) for millisecond in (0, 999, 1_000)
            )

        assert names(page(book, created=unix(NOW))) == [shown("cus", last), shown("cus", first)]

    @pytest.mark.parametrize("seconds", [-1, 10**18])
    def test_reads_any_time_at_all(self, book, rows, seconds):
        assert names(page(book, created={"gte": seconds})) == (
            expected(rows, 6, 5, 4, 3, 2, 1, 0) if seconds < 0 else []
        )

    def test_goes_on_within_a_range_of_time(self, book, rows):
        until = {"lt": unix(NOW + timedelta(minutes=5))}

        answer = page(book, limit=2, created=until, starting_after=shown("cus", rows[4]))

        assert (names(answer), answer["has_more"]) == (expected(rows, 3, 2), True)

    def test_refuses_two_cursors(self, book, rows):
        cursor = shown("cus", rows[0])

        assert refusal(book, starting_after=cursor, ending_before=cursor) == ("parameters_exclusive", None)

    @pytest.mark.parametrize("param", ["starting_after", "ending_before"])
    def test_refuses_a_cursor_that_names_no_row(self, book, rows, param, other_customer):
        unknown = shown("cus", ids.new(NOW))

        for cursor in ("nonsense", unknown, shown("pi", rows[0]), shown("cus", other_customer)):
            assert refusal(book, **{param: cursor}) == ("resource_missing", param)


class TestIdentifier:
    def test_reads_an_id(self):
        identifier = ids.new(NOW)

        assert paging.identifier("cus", shown("cus", identifier), param="customer") == identifier

    def test_refuses_what_cannot_be_one_by_its_parameter(self):
        with pytest.raises(InvalidParameter, match=r"No such customer: 'x{100}'$") as refused:
            paging.identifier("cus", "x" * 5_000, param="customer")

        assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")
