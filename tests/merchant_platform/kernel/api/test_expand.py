import pytest

from merchant_platform.kernel.api import expand
from merchant_platform.kernel.api.params import InvalidParameter


class Shop:
    """Loaders of a small world, and how they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.people = {"p1": {"id": "p1", "object": "person", "home": "h1"}}
        self.homes = {"h1": {"id": "h1", "object": "home", "owner": "p1"}}

    def load(self, kind: str, rows: dict):
        def load(ids):
            self.asked.append((kind, list(ids)))
            return {each: dict(rows[each]) for each in ids if each in rows}

        return load


@pytest.fixture
def shop(monkeypatch):
    shop = Shop()
    monkeypatch.setattr(expand, "_fields", {})
    monkeypatch.setattr(expand, "_loaders", {})
    expand.loader("people", shop.load("people", shop.people))
    expand.loader("homes", shop.load("homes", shop.homes))
    expand.expandable("order", buyer="people", payer="people", place="homes")
    expand.expandable("person", home="homes")
    expand.expandable("home", owner="people")
    return shop


def order(**fields) -> dict:
    return {"id": "o1", "object": "order", **fields}


def listed(*rows: dict, name: str = "list") -> dict:
    return {"object": name, "data": list(rows)}


class TestApply:
    def test_puts_the_object_in_the_place_of_its_id(self, shop):
        answer = expand.apply(order(buyer="p1"), ["buyer"])

        assert answer["buyer"] == {"id": "p1", "object": "person", "home": "h1"}

    def test_goes_down_a_path(self, shop):
        answer = expand.apply(order(buyer="p1"), ["buyer.home.owner.home"])

        assert answer["buyer"]["home"]["owner"]["home"]["id"] == "h1"

    def test_opens_two_paths_with_one_beginning(self, shop):
        answer = expand.apply(order(buyer="p1"), ["buyer", "buyer.home"])

        assert answer["buyer"]["home"]["id"] == "h1"
        assert shop.asked == [("people", ["p1"]), ("homes", ["h1"])]

    def test_asks_once_for_all_rows_of_a_list(self, shop):
        shop.people["p2"] = {"id": "p2", "object": "person", "home": None}

        answer = expand.apply(listed(order(buyer="p1"), order(buyer="p2"), order(buyer="p1")), ["data.buyer"])

        assert shop.asked == [("people", ["p1", "p2"])]
        assert [row["buyer"]["id"] for row in answer["data"]] == ["p1", "p2", "p1"]

    def test_gives_each_row_an_object_of_its_own(self, shop):
        answer = expand.apply(listed(order(buyer="p1"), order(buyer="p1")), ["data.buyer.home"])

        first, second = (row["buyer"] for row in answer["data"])
        assert first == second
        assert first is not second

    def test_opens_the_rows_of_a_search_too(self, shop):
        answer = expand.apply(listed(order(buyer="p1"), name="search_result"), ["data.buyer"])

        assert answer["data"][0]["buyer"]["id"] == "p1"

    def test_leaves_what_is_not_there(self, shop):
        answer = expand.apply(order(buyer=None, payer="gone"), ["buyer", "payer"])

        assert (answer["buyer"], answer["payer"]) == (None, "gone")

    @pytest.mark.parametrize("path", ["", "id", "seller", "buyer.name", "data.buyer", "buyer.", ".buyer"])
    def test_refuses_a_path_that_cannot_be_opened(self, path, shop):
        with pytest.raises(InvalidParameter) as refused:
            expand.apply(order(buyer="p1"), [path])

        assert (refused.value.code, refused.value.param) == ("parameter_invalid", "expand")

    @pytest.mark.parametrize("path", ["buyer", "data", "data.seller"])
    def test_refuses_a_path_of_a_list_that_does_not_go_through_its_data(self, path, shop):
        with pytest.raises(InvalidParameter):
            expand.apply(listed(order(buyer="p1")), [path])
