from typing import Annotated, Literal

import pytest

from merchant_platform.kernel.api.params import (
    Amount,
    Boolean,
    Created,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    SearchParams,
    UpTo,
)


class Item(Nested):
    price: Id
    quantity: Integer = 1


class Order(Params):
    amount: Amount | None = None
    currency: Currency | None = None
    customer: Id | None = None
    description: Emptied[Annotated[str, UpTo(5)]] = None
    items: Listed[Item] = []
    kind: Literal["cash", "card"] | None = None
    metadata: Metadata = {}
    paid: Boolean | None = None
    tags: Listed[Annotated[str, UpTo(3)]] = []


class Needed(Params):
    amount: Amount
    item: Item | None = None


def refusal(params: type[Params], data: dict, *, is_typed: bool = False) -> tuple[str, str | None]:
    """The code and the parameter of a refusal."""
    with pytest.raises(InvalidParameter) as refused:
        params.read(data, is_typed=is_typed)
    return refused.value.code, refused.value.param


FORM, JSON = False, True
BOTH = pytest.mark.parametrize("is_typed", [FORM, JSON], ids=["form", "json"])


class TestRead:
    def test_reads_text_of_a_form_as_what_it_means(self):
        read = Order.read(
            {
                "amount": "1200",
                "currency": "cny",
                "paid": "true",
                "items": {"0": {"price": "a"}, "1": {"price": "b", "quantity": "2"}},
                "tags": ["x", "y"],
                "metadata": {"table": "7"},
            },
            is_typed=FORM,
        )

        assert (read.amount, read.currency, read.paid) == (1_200, "CNY", True)
        assert [(item.price, item.quantity) for item in read.items] == [("a", 1), ("b", 2)]
        assert (read.tags, read.metadata) == (["x", "y"], {"table": "7"})

    def test_reads_the_types_of_json(self):
        read = Order.read(
            {"amount": 1_200, "currency": "CNY", "paid": False, "items": [{"price": "a", "quantity": 2}], "tags": []},
            is_typed=JSON,
        )

        assert (read.amount, read.paid, read.items[0].quantity) == (1_200, False, 2)

    def test_puts_the_items_of_a_form_into_the_order_of_their_numbers(self):
        numbers = {str(number): {"price": f"p{number}"} for number in (10, 9, 2, 0)}

        read = Order.read({"items": numbers}, is_typed=FORM)

        assert [item.price for item in read.items] == ["p0", "p2", "p9", "p10"]

    @BOTH
    @pytest.mark.parametrize(
        ("data", "code", "param"),
        [
            ({"colour": "red"}, "parameter_unknown", "colour"),
            ({"item": {"price": "a", "size": "xl"}, "amount": "1"}, "parameter_unknown", "item[size]"),
            ({}, "parameter_missing", "amount"),
            ({"amount": "1", "item": {}}, "parameter_missing", "item[price]"),
            ({"amount": "1", "item": "a"}, "parameter_invalid", "item"),
            ({"amount": ""}, "parameter_invalid_integer", "amount"),
            ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
            ({"amount": "1e3"}, "parameter_invalid_integer", "amount"),
            ({"amount": " 1"}, "parameter_invalid_integer", "amount"),
            ({"amount": "+1"}, "parameter_invalid_integer", "amount"),
            ({"amount": "1_000"}, "parameter_invalid_integer", "amount"),
            ({"amount": "٣"}, "parameter_invalid_integer", "amount"),
            ({"amount": "12345678901234567890"}, "parameter_invalid_integer", "amount"),
            ({"amount": {"a": "1"}}, "parameter_invalid_integer", "amount"),
            ({"amount": ["1"]}, "parameter_invalid_integer", "amount"),
            ({"amount": "0"}, "parameter_invalid_integer", "amount"),
            ({"amount": "-1"}, "parameter_invalid_integer", "amount"),
            ({"amount": "100000000"}, "amount_too_large", "amount"),
        ],
    )
    def test_refuses_a_wrong_parameter_by_its_name(self, data, code, param, is_typed):
        assert refusal(Needed, data, is_typed=is_typed) == (code, param)

    @pytest.mark.parametrize("amount", [1.0, 1.5, True, None, [1], {}])
    def test_refuses_what_is_no_integer_in_json(self, amount):
        assert refusal(Needed, {"amount": amount}, is_typed=JSON) == ("parameter_invalid_integer", "amount")

    @BOTH
    @pytest.mark.parametrize(
        ("data", "code", "param"),
        [
            ({"currency": "cn"}, "parameter_invalid", "currency"),
            ({"currency": "xxx"}, "parameter_invalid", "currency"),
            ({"currency": ""}, "parameter_invalid", "currency"),
            ({"customer": ""}, "parameter_invalid_empty", "customer"),
            ({"customer": "x" * 256}, "parameter_invalid", "customer"),
            ({"customer": {"id": "x"}}, "parameter_invalid", "customer"),
            ({"description": "123456"}, "parameter_invalid", "description"),
            ({"items": "a"}, "parameter_invalid", "items"),
            ({"items": [{"price": ""}]}, "parameter_invalid_empty", "items[0][price]"),
            ({"items": [{"price": "a"}, {"quantity": "1"}]}, "parameter_missing", "items[1][price]"),
            ({"items": [{"price": "a", "x": "y"}]}, "parameter_unknown", "items[0][x]"),
            ({"items": [{"price": "a", "quantity": "x"}]}, "parameter_invalid_integer", "items[0][quantity]"),
            ({"kind": "cheque"}, "parameter_invalid", "kind"),
            ({"kind": ""}, "parameter_invalid", "kind"),
            ({"metadata": "text"}, "parameter_invalid", "metadata"),
            ({"metadata": {"a": {"b": "c"}}}, "parameter_invalid", "metadata[a]"),
            ({"metadata": {"": "x"}}, "metadata_key_invalid", "metadata"),
            ({"metadata": {"k" * 41: "x"}}, "metadata_key_invalid", "metadata"),
            ({"metadata": {"a[b": "x"}}, "metadata_key_invalid", "metadata"),
            ({"metadata": {"a": "x" * 501}}, "metadata_too_long", "metadata"),
            ({"metadata": {f"k{n}": "x" for n in range(51)}}, "metadata_too_long", "metadata"),
            ({"paid": "yes"}, "parameter_invalid_boolean", "paid"),
            ({"paid": "1"}, "parameter_invalid_boolean", "paid"),
            ({"paid": "True"}, "parameter_invalid_boolean", "paid"),
            ({"paid": ""}, "parameter_invalid_boolean", "paid"),
            ({"tags": ["long"]}, "parameter_invalid", "tags[0]"),
            ({"tags": ["a", ""]}, "parameter_invalid_empty", "tags[1]"),
        ],
    )
    def test_refuses_each_kind_of_mistake_by_its_name(self, data, code, param, is_typed):
        assert refusal(Order, data, is_typed=is_typed) == (code, param)

    @pytest.mark.parametrize("metadata", [{"a": 1}, {"a": True}, {"a": ["x"]}, [], 1])
    def test_takes_text_alone_for_metadata(self, metadata):
        code, param = refusal(Order, {"metadata": metadata}, is_typed=JSON)

        assert code == "parameter_invalid"
        assert param in ("metadata", "metadata[a]")

    def test_tells_the_unknown_parameter_first(self):
        """A misspelt name is most often why another one is missing."""
        assert refusal(Needed, {"ammount": "1"}) == ("parameter_unknown", "ammount")

    @pytest.mark.parametrize("name", ["unionpay", "function-before", "tagged-union", "nullable"])
    def test_names_an_unknown_parameter_however_it_is_called(self, name):
        assert refusal(Needed, {"amount": "1", name: "1"}) == ("parameter_unknown", name)

    def test_says_what_was_wrong(self):
        messages = {}
        for name, data in {
            "unknown": {"amount": "1", "colour": "red"},
            "missing": {},
            "integer": {"amount": "ten"},
        }.items():
            with pytest.raises(InvalidParameter) as refused:
                Needed.read(data, is_typed=FORM)
            messages[name] = refused.value.message

        assert messages == {
            "unknown": "Received unknown parameter: colour",
            "missing": "Missing required param: amount.",
            "integer": "Invalid integer: ten",
        }

    def test_repeats_no_endless_value(self):
        with pytest.raises(InvalidParameter) as refused:
            Needed.read({"amount": "x" * 100_000}, is_typed=FORM)

        assert len(refused.value.message) < 200

    @BOTH
    def test_reads_an_empty_value_as_none_where_it_empties(self, is_typed):
        read = Order.read({"description": ""}, is_typed=is_typed)

        assert read.given() == {"description": None}

    def test_reads_up_to_the_bounds(self):
        full = {f"{n:040}": "x" * 500 for n in range(50)}

        read = Order.read({"amount": "99999999", "metadata": full, "description": "五个汉字。"}, is_typed=FORM)

        assert (read.amount, len(read.metadata), read.description) == (99_999_999, 50, "五个汉字。")


class TestGiven:
    def test_is_what_the_request_said_and_no_default(self):
        read = Order.read({"amount": "1", "expand": ["customer"], "paid": "false"}, is_typed=FORM)

        assert read.given() == {"amount": 1, "paid": False}
        assert read.given("amount") == {"paid": False}


class TestExpand:
    def test_reads_lists_of_both_forms(self):
        assert Order.read({"expand": ["a", "b.c"]}, is_typed=FORM).expand == ["a", "b.c"]
        assert Order.read({"expand": {"0": "a", "1": "b"}}, is_typed=FORM).expand == ["a", "b"]
        assert Order.read({"expand": ""}, is_typed=FORM).expand == []

    @pytest.mark.parametrize("path", ["a.b.c.d", "data.a.b.c.d"])
    def test_opens_four_levels(self, path):
        assert Order.read({"expand": [path]}, is_typed=FORM).expand == [path]

    @pytest.mark.parametrize(
        "expand", [["a.b.c.d.e"], ["data.a.b.c.d.e"], [f"a{n}" for n in range(21)], "a", {"x": "a"}]
    )
    def test_refuses_more(self, expand):
        assert refusal(Order, {"expand": expand}) == ("parameter_invalid", "expand")


class TestListParams:
    def test_has_a_default_of_ten(self):
        read = ListParams.read({}, is_typed=FORM)

        assert (read.limit, read.starting_after, read.ending_before, read.created) == (10, None, None, None)

    @pytest.mark.parametrize("limit", ["0", "-1", "101", "", "ten"])
    def test_refuses_a_limit_out_of_1_to_100(self, limit):
        assert refusal(ListParams, {"limit": limit}) == ("parameter_invalid_integer", "limit")

    @pytest.mark.parametrize(
        ("created", "bounds"),
        [
            ("1700000000", {"gte": 1_700_000_000, "lte": 1_700_000_000}),
            ({"gte": "1700000000", "lt": "1800000000"}, {"gte": 1_700_000_000, "lt": 1_800_000_000}),
            ({"gt": "1"}, {"gt": 1}),
        ],
    )
    def test_reads_a_second_or_a_range_of_time(self, created, bounds):
        read = ListParams.read({"created": created}, is_typed=FORM).created

        assert read == Created(**bounds)

    @pytest.mark.parametrize(
        ("created", "code", "param"),
        [
            ("yesterday", "parameter_invalid_integer", "created[gte]"),
            ({"since": "1"}, "parameter_unknown", "created[since]"),
            ({"gt": "x"}, "parameter_invalid_integer", "created[gt]"),
            (["1"], "parameter_invalid", "created"),
        ],
    )
    def test_refuses_what_is_no_time(self, created, code, param):
        assert refusal(ListParams, {"created": created}) == (code, param)


class TestSearchParams:
    def test_needs_a_query(self):
        assert refusal(SearchParams, {}) == ("parameter_missing", "query")
        assert refusal(SearchParams, {"query": ""}) == ("parameter_invalid_empty", "query")
        assert refusal(SearchParams, {"query": "x" * 1_001}) == ("parameter_invalid", "query")
