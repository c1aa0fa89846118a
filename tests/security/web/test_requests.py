"""The request log's pages: what is asked, what is shown, who may see it."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import ids
from merchant_platform.kernel.request_log import buffer
from security.credentials.models import ApiKey
from tests.cast import shown
from tests.staff import ROLES, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
LIST = "/dashboard/cafe/test/developers/requests"


@pytest.fixture
def developer(merchant):
    return signed_in(make_staff(merchant, "developer"))


@pytest.fixture
def asked(api, other_api, customer):
    """Four requests of the café, one of the stranger."""
    buffer.log.reset()
    replies = [
        api.get("customers"),
        api.post("customers", {"name": "Lin"}),
        api.get(f"customers/{shown('cus', customer)}"),
        api.post("payment_intents", {"amount": 0, "currency": "cny"}),
    ]
    other_api.get("customers")
    buffer.log.flush()
    return replies


def listed(client, **params):
    return [f"{each.row.method} {each.row.path}" for each in client.get(LIST, params).context["requests"]]


class TestList:
    def test_is_newest_first_and_its_own(self, developer, asked):
        assert listed(developer) == [
            "POST /v1/payment_intents",
            "GET /v1/customers/{id}",
            "POST /v1/customers",
            "GET /v1/customers",
        ]

    def test_is_narrowed_by_each_filter(self, developer, asked, book, customer):
        key = ids.show("key", ApiKey.objects.get(book=book).pk)

        assert listed(developer, status="4") == ["POST /v1/payment_intents"]
        assert listed(developer, status="5") == []
        assert listed(developer, method="POST") == ["POST /v1/payment_intents", "POST /v1/customers"]
        assert listed(developer, path="/v1/customers", method="GET") == ["GET /v1/customers"]
        assert len(listed(developer, key=key)) == 4
        assert listed(developer, key="key_0000000000000000000000") == []
        assert listed(developer, id=shown("cus", customer)) == ["GET /v1/customers/{id}"]
        assert listed(developer, id=asked[1].json["id"]) == ["POST /v1/customers"]
        assert listed(developer, before="2020-01-01T00:00") == []
        assert len(listed(developer, since="2020-01-01T00:00")) == 4

    @pytest.mark.parametrize(
        "params",
        [
            {"status": "x"},
            {"status": "²"},
            {"key": "x"},
            {"since": "0001-01-01T00:00"},
            {"before": "9999-12-31T23:59"},
            {"older_than": "req_1"},
            {"newer_than": "\0"},
            {"path": "/v1/nothing"},
        ],
    )
    def test_takes_no_harm_from_nonsense(self, developer, asked, params):
        assert developer.get(LIST, params).status_code == 200

    def test_goes_page_by_page(self, developer, api, monkeypatch):
        from security.web import paging

        buffer.log.reset()
        monkeypatch.setattr(paging.page, "__kwdefaults__", {"size": 2})
        for _ in range(5):
            api.get("customers")
        buffer.log.flush()

        first = developer.get(LIST, {"method": "GET"})
        second = developer.get(LIST + first.context["ways"].older)
        third = developer.get(LIST + second.context["ways"].older)
        back = developer.get(LIST + third.context["ways"].newer)

        seen = [[each.id for each in page.context["requests"]] for page in (first, second, third, back)]
        assert [len(each) for each in seen] == [2, 2, 1, 2]
        assert len({*seen[0], *seen[1], *seen[2]}) == 5
        assert seen[3] == seen[1]
        assert "method=GET" in first.context["ways"].older
        assert (first.context["ways"].newer, third.context["ways"].older) == ("", "")

    def test_takes_a_stated_number_of_statements(self, developer, asked):
        developer.get(LIST)
        with CaptureQueriesContext(connections["default"]) as captured:
            developer.get(LIST)

        assert len(captured) <= 12

    def test_follows_live(self, developer, asked):
        page = developer.get(LIST, {"follow": "1"}).content.decode()
        fragment = developer.get(LIST, {"follow": "1"}, headers={"HX-Request": "true"}).content.decode()

        assert 'hx-trigger="every 3s"' in page
        assert fragment.lstrip().startswith('<div id="requests"')


class TestOne:
    def test_links_to_what_it_did(self, developer, asked):
        request_id = asked[1].headers["Request-Id"]

        response = developer.get(f"{LIST}/{request_id}")

        page = response.content.decode()
        assert asked[1].json["id"] in page
        assert [event.type for _, event in response.context["events"]] == ["customer.created"]
        assert "sk_test_" not in page

    def test_says_why_it_was_refused(self, developer, asked):
        page = developer.get(f"{LIST}/{asked[3].headers['Request-Id']}").content.decode()

        assert "/docs/errors/parameter_invalid_integer" in page

    def test_of_another_book_is_not_there(self, developer, other_api):
        buffer.log.reset()
        theirs = other_api.get("customers").headers["Request-Id"]
        buffer.log.flush()

        assert developer.get(f"{LIST}/{theirs}").status_code == 404
        assert developer.get(f"{LIST}/req_1").status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_opens_to_developers_support_and_owners(merchant, asked, role):
    client = signed_in(make_staff(merchant, role))
    wanted = 200 if role in ("developer", "support", "owner") else 403

    assert client.get(LIST).status_code == wanted
    assert client.get(f"{LIST}/{asked[0].headers['Request-Id']}").status_code == wanted
