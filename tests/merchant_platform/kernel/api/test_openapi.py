import json

import pytest
from django.test import Client

from merchant_platform.kernel.api import openapi
from merchant_platform.kernel.api.doors import API_VERSION

DOCUMENT = openapi.document()
OPERATIONS = {
    f"{method.upper()} {address}": operation
    for address, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def referenced(value) -> set[str]:
    if isinstance(value, dict):
        return {value["$ref"]} if "$ref" in value else set().union(*map(referenced, value.values()), set())
    return set().union(*map(referenced, value), set()) if isinstance(value, list) else set()


class TestDocument:
    def test_describes_every_door(self):
        doors = {f"{method} {address}" for address, method, _ in openapi.endpoints()}

        assert set(OPERATIONS) == doors
        assert {"POST /v1/payment_intents", "GET /v1/customers/{id}", "DELETE /v1/customers/{id}"} <= doors

    def test_names_the_version_that_is_served(self):
        assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", API_VERSION)

    def test_refers_to_nothing_that_is_not_there(self):
        known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

        assert referenced(DOCUMENT) - known == set()

    def test_gives_each_operation_a_name_of_its_own(self):
        names = [operation["operationId"] for operation in OPERATIONS.values()]

        assert len(names) == len(set(names))

    def test_says_of_each_operation_what_it_does_and_what_it_needs(self):
        poor = [
            name for name, operation in OPERATIONS.items() if not (operation["summary"] and operation["x-permission"])
        ]

        assert poor == []

    @pytest.mark.parametrize("name", sorted(OPERATIONS))
    def test_lists_the_answers_of_an_operation(self, name):
        responses = OPERATIONS[name]["responses"]

        assert {"200", "400", "401", "403", "404", "409", "429", "500"} <= set(responses)
        assert all(
            answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/error"}
            for status, answer in responses.items()
            if status != "200"
        )

    def test_takes_a_body_in_both_forms_where_something_is_written(self):
        for name, operation in OPERATIONS.items():
            content = operation.get("requestBody", {}).get("content", {})
            expected = ["application/x-www-form-urlencoded", "application/json"] if name.startswith("POST") else []
            assert list(content) == expected, name


@pytest.mark.django_db
class TestSchema:
    def test_is_open_to_all(self):
        response = Client().get("/v1/schema")

        assert response.status_code == 200
        assert response["Content-Type"] == "application/vnd.oai.openapi+json"
        assert json.loads(response.content)["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
