"""What the guide lists besides its sentences, against the code."""

import ast

from merchant_platform.docs import guide
from merchant_platform.kernel.api import expand
from merchant_platform.kernel.api.errors import STATUSES
from merchant_platform.kernel.events import router
from tests.architecture.asking import dotted, sources


def told_events() -> set[object]:
    """The types of `row("…", …)` and `_tell("…", …)` in the sources, which are public unless they say otherwise."""
    return {
        node.args[0].value
        for _, tree in sources("security", "payments", "members", "analytics")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in ("row", "_tell")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        # A bare verb is put behind its object by the function itself.
        and "." in str(node.args[0].value)
        and not any(keyword.arg == "is_public" for keyword in node.keywords)
    }


class TestGuide:
    def test_lists_every_event_there_is(self):
        listed = {f"{name}.{verb}" for name, verbs in guide.event_types().items() for verb in verbs}

        assert listed == set(router.public_types())
        assert told_events() <= listed

    def test_lists_what_can_be_expanded(self):
        listed = {name: sorted(fields) for name, fields in guide.EXPANDABLE.items()}

        # What has no name of its own is listed by the ways that lead to it.
        expandable = {name or "promotion, discounts, source": sorted(fields) for name, fields in expand._fields.items()}
        assert listed == expandable

    def test_lists_the_statuses_of_refusals(self):
        listed = {status for status, _ in guide.STATUSES}

        assert {status for _, status, _ in STATUSES} - listed == {415}, "told on the page of its code"

    def test_lists_what_a_restricted_key_can_be_given(self):
        assert {"payment_intents", "refunds", "orders", "events", "wallets"} <= set(guide.permissions())
