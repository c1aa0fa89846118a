"""The description of the API, as a tool reads it from the server: OpenAPI 3.1, with every door and nothing dangling."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import orjson
import pytest

from merchant_platform.kernel.api.openapi import endpoints

# What OpenAPI 3.1.0 lets each object of a description hold (https://spec.openapis.org/oas/v3.1.0).
DOCUMENT = {"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs", "webhooks"}
INFO = {"title", "version", "description", "summary", "contact", "license", "termsOfService"}
METHODS = {"get", "post", "delete"}
OPERATION = {"operationId", "summary", "description", "tags", "parameters", "requestBody", "responses", "security"}
PARAMETER = {"name", "in", "description", "required", "schema", "style", "explode", "deprecated"}
MEDIA = {"schema", "encoding", "example", "examples"}
TYPES = {"null", "boolean", "object", "array", "number", "integer", "string"}


@pytest.fixture(scope="module")
def document(server):
    with urlopen(f"{server}/v1/schema") as opened:
        assert opened.headers["Content-Type"] == "application/vnd.oai.openapi+json"
        return orjson.loads(opened.read())


@pytest.fixture(scope="module")
def operations(document):
    """Every operation by its method and address."""
    return {
        (method, address): operation
        for address, item in document["paths"].items()
        for method, operation in item.items()
    }


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a document, however deep."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from inside(item)
    elif isinstance(value, list):
        for item in value:
            yield from inside(item)


def own(keys: Any) -> set[str]:
    """The keys that the specification has to know; ours begin with x-."""
    return {key for key in keys if not key.startswith("x-")}


class TestDocument:
    def test_is_openapi_3_1(self, document):
        assert document["openapi"] == "3.1.0"
        assert own(document) <= DOCUMENT
        assert own(document["info"]) <= INFO
        assert {"title", "version"} <= set(document["info"])
        assert all(address.startswith("/v1/") for address in document["paths"])

    def test_has_every_door(self, operations):
        assert set(operations) == {(method.lower(), address) for address, method, _ in endpoints()}

    def test_says_of_each_operation_what_the_specification_asks(self, operations):
        for (method, address), operation in operations.items():
            assert method in METHODS
            assert own(operation) <= OPERATION, address
            assert {"200"} <= set(operation["responses"])
            assert all(re.fullmatch(r"[2-5]\d\d", status) for status in operation["responses"])
            assert all("description" in answer for answer in operation["responses"].values())
            assert ("requestBody" in operation) == (method == "post")
            for media in operation.get("requestBody", {}).get("content", {}).values():
                assert own(media) <= MEDIA

    def test_names_each_parameter_once_and_each_part_of_an_address(self, operations):
        for (_, address), operation in operations.items():
            parameters = operation["parameters"]
            named = [(each["in"], each["name"]) for each in parameters]
            assert len(named) == len(set(named)), address
            assert {name for place, name in named if place == "path"} == set(re.findall(r"{(\w+)}", address))
            for each in parameters:
                assert own(each) <= PARAMETER
                assert each["in"] in {"path", "query", "header"}
                assert "schema" in each
                assert each["in"] != "path" or each["required"] is True

    def test_refers_to_what_is_there(self, document):
        schemas = document["components"]["schemas"]
        references = {each["$ref"] for each in inside(document) if isinstance(each.get("$ref"), str)}

        assert references <= {f"#/components/schemas/{name}" for name in schemas}
        schemes = {name for requirement in document["security"] for name in requirement}
        assert schemes == set(document["components"]["securitySchemes"])

    def test_has_schemas_of_json_schema_2020_12(self, document):
        for schema in inside(document["components"]["schemas"]):
            kinds = schema.get("type")
            if isinstance(kinds, str | list):
                assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES, schema
            if isinstance(schema.get("required"), list) and isinstance(schema.get("properties"), dict):
                assert set(schema["required"]) <= set(schema["properties"]), schema
            # What JSON Schema 2020-12 and OpenAPI 3.1 have done away with.
            assert not {"definitions", "nullable"} & set(schema), schema
