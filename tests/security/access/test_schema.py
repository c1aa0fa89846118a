"""What the API's description promises, held against the API: any request that it lets one think of, with any key.

Requests are made up by schemathesis from the very document that /v1/schema shows, and sent to
the application in this process. No answer is a server's error, each status is one that the
document names, and each body has the shape that it gives.
"""

import math
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from merchant_platform.kernel.api import openapi
from merchant_platform.wsgi import application
from security.credentials import keys
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET
from tests.cast import NOW
from tests.payments.cases import cases

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A44"),
]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# The same in every run: what fails once fails again. `make prove` asks for more of them.
SEED = 5


@pytest.fixture
def headers(book, live_book) -> list[dict[str, str]]:
    """Who may ask: nobody, and somebody with each kind of key, the one that opens most more often."""
    made = [
        keys.make(book=book, kind=SECRET, now=NOW),
        keys.make(book=book, kind=PUBLISHABLE, now=NOW),
        keys.make(book=book, kind=RESTRICTED, permissions={"customers": "write", "products": "read"}, now=NOW),
        keys.make(book=live_book, kind=SECRET, now=NOW),
    ]
    shown = [{"Authorization": f"Bearer {text}"} for _, text in made]
    return [*shown[:1] * 5, *shown[1:], {}]


class TestAnyRequest:
    @cases(300)
    def test_is_answered_as_described(self, api_ids, headers, cases_max, tried):
        schema = schemathesis.openapi.from_dict(openapi.document())
        schema.app = application
        operations = [found.ok() for found in schema.get_all_operations()]
        count = math.ceil(cases_max / len(operations))
        answered: Counter[int] = Counter()

        for operation in operations:
            top, _, rest = operation.path.removeprefix("/v1/").partition("/{")
            known = [{"id": api_ids[top]}] if rest else []
            fitting, unfitting = (operation.as_strategy(generation_mode=mode) for mode in MODES)

            @seed(SEED)
            @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(fitting | unfitting, st.sampled_from(headers), st.sampled_from([*known * 9, None]))
            def check(case, key, parts):
                # Where none is shown, whatever the case itself says of one stays.
                case.headers.update(key)
                case.path_parameters = parts or case.path_parameters
                reply = case.call()
                answered[reply.status_code] += 1
                case.validate_response(reply, checks=CHECKS)

            check()

        tried(cases=answered.total(), operations=len(operations), statuses=len(answered))

    def test_would_be_noticed_where_it_is_not_described(self, platform):
        """Or the silence above could be that of checks that check nothing."""
        document = openapi.document()
        for responses in (each["responses"] for methods in document["paths"].values() for each in methods.values()):
            del responses["401"]
        schema = schemathesis.openapi.from_dict(document)
        schema.app = application
        case = schema["/v1/customers"]["GET"].Case()

        with pytest.raises(FailureGroup) as failed:
            case.validate_response(case.call(), checks=CHECKS)

        assert [type(each).__name__ for each in failed.value.exceptions] == ["UndefinedStatusCode"]
