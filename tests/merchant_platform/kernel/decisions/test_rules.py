from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.decisions.rules import Reason, UnknownRule, Verdict
from tests.architecture.asking import as_owner
from tests.cast import NOW

LIMIT = 500


def may_spend(inputs) -> Verdict:
    """The newer version: it says by how much, and what helps."""
    if inputs["amount"] > LIMIT:
        return Verdict(
            "declined",
            [Reason("limit_exceeded", {"limit": LIMIT})],
            near_miss={"over_by": inputs["amount"] - LIMIT},
            remedy="raise_limit",
        )
    return Verdict("allowed")


@pytest.fixture
def registered(monkeypatch):
    """A rule of two versions and one reason, in registers of the test's own."""
    monkeypatch.setattr(rules, "_rules", {})
    monkeypatch.setattr(rules, "_wordings", {})
    rules.rule("may_spend", version=1)(lambda inputs: Verdict("allowed"))
    rules.rule("may_spend", version=2)(may_spend)
    rules.words(
        "limit_exceeded",
        customer="This is over your limit of {limit}.",
        cashier="Over the customer's limit.",
        merchant="Over the limit of {limit} that the customer set.",
    )
    return rules


class TestRule:
    def test_is_registered_once_a_version(self, registered):
        with pytest.raises(ValueError, match="may_spend version 2 is registered twice"):
            rules.rule("may_spend", version=2)(may_spend)

    def test_stays_the_function_it_was(self, registered):
        assert rules.rule("other", version=1)(may_spend) is may_spend


class TestLatest:
    def test_is_the_newest_version(self, registered):
        assert rules.latest("may_spend") == 2

    def test_refuses_a_rule_that_nobody_registered(self, registered):
        with pytest.raises(UnknownRule, match="may_fly"):
            rules.latest("may_fly")


class TestEvaluate:
    def test_runs_the_newest_version_unless_told_otherwise(self, registered):
        assert rules.evaluate("may_spend", {"amount": 900}).verdict == "declined"
        assert rules.evaluate("may_spend", {"amount": 900}, version=1).verdict == "allowed"

    def test_refuses_a_version_that_is_gone(self, registered):
        with pytest.raises(UnknownRule, match="may_spend version 3"):
            rules.evaluate("may_spend", {}, version=3)


# A value for each word that a wording of the platform asks for.
SAID = {
    **{"wallet": "CNY", "payment": "USD", "currency": "USD", "limit": "¥5.00", "points": 50},
    **{"name": "Spring", "better": "Summer", "code": "SPRING", "other": "SUMMER", "hours": "14:00", "value": 3},
    **{"category": "Coffee", "percent": 150, "tier": "Gold", "tiers": "Gold", "bonus": 5, "left": 10},
    **{"discount": "¥5.00", "by": "¥1.00", "missing": "¥2.00", "missing_count": 1, "count": 5, "count_max": 5},
}


class TestExplain:
    @pytest.mark.parametrize(
        ("audience", "words"),
        [
            ("customer", "This is over your limit of 500."),
            ("cashier", "Over the customer's limit."),
            ("merchant", "Over the limit of 500 that the customer set."),
        ],
    )
    def test_has_three_wordings(self, registered, audience, words):
        reason = Reason("limit_exceeded", {"limit": 500})
        stored = {"code": "limit_exceeded", "values": {"limit": 500}}

        assert rules.explain(reason, audience=audience) == rules.explain(stored, audience=audience) == words

    @pytest.mark.parametrize(("points", "words"), [(1, "1 point for your visit."), (2, "2 points for your visit.")])
    def test_counts(self, points, words):

        assert rules.explain(Reason("points_visit", {"points": points}), audience="customer") == words

    @pytest.mark.parametrize("code", sorted(rules._wordings))
    @pytest.mark.parametrize("audience", ["customer", "cashier", "merchant"])
    def test_has_words_for_every_reason_of_the_platform(self, code, audience):

        assert rules.explain(Reason(code, SAID), audience=audience).endswith(".")


@pytest.mark.django_db
class TestRecord:
    def test_keeps_what_went_in_by_which_rule_and_what_came_out(self, registered, book):
        subject = ids.new(NOW)

        with tenancy.within(book.pk):
            _, verdict = rules.record(
                "may_spend",
                {"amount": 900, "who": "李"},
                subject_id=subject,
                now=NOW,
                expires_at=NOW + timedelta(days=1),
            )
            kept = Decision.objects.get()

        assert verdict == may_spend({"amount": 900})
        assert (kept.rule, kept.rule_version, kept.subject_id) == ("may_spend", 2, subject)
        assert (kept.inputs, kept.verdict) == ({"amount": 900, "who": "李"}, "declined")
        assert kept.reasons == [{"code": "limit_exceeded", "values": {"limit": 500}}]
        assert (kept.near_miss, kept.remedy) == ({"over_by": 400}, "raise_limit")
        assert (kept.created_at, kept.expires_at) == (NOW, NOW + timedelta(days=1))

    def test_shows_the_rule_the_stored_form_the_first_time_too(self, registered, book):
        seen = []

        @rules.rule("watch", version=1)
        def watch(inputs) -> Verdict:
            seen.append(inputs)
            return Verdict("allowed")

        with tenancy.within(book.pk):
            decision, _ = rules.record("watch", {"at": NOW, "pair": (1, 2)}, subject_id=ids.new(NOW), now=NOW)
            rules.replay(Decision.objects.get(pk=decision.pk))

        assert seen == [{"at": NOW.isoformat(), "pair": [1, 2]}] * 2

    def test_needs_an_open_book(self, registered):
        with pytest.raises(tenancy.NoBook):
            rules.record("may_spend", {"amount": 1}, subject_id=ids.new(NOW), now=NOW)


@pytest.mark.django_db
class TestReplay:
    @pytest.fixture
    def decision(self, registered, book):
        """As somebody reads it later."""
        with tenancy.within(book.pk):
            made, _ = rules.record("may_spend", {"amount": 900}, subject_id=ids.new(NOW), now=NOW)
            yield Decision.objects.get(pk=made.pk)

    def test_is_true_of_an_honest_decision(self, decision):
        assert rules.replay(decision) is True

    def test_runs_the_version_that_decided(self, decision):
        rules.rule("may_spend", version=3)(lambda inputs: Verdict("allowed"))

        assert rules.replay(decision) is True

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("inputs", {"amount": 901}),
            ("inputs", {"amount": 900, "vip": True}),
            ("inputs_hash", b"\0" * 32),
            ("verdict", "allowed"),
            ("reasons", []),
            ("reasons", [{"code": "limit_exceeded", "values": {"limit": 499}}]),
            ("near_miss", {"over_by": 1}),
            ("near_miss", None),
            ("remedy", ""),
            ("rule_version", 1),
        ],
    )
    def test_is_false_of_a_decision_that_was_tampered_with(self, decision, field, value):
        setattr(decision, field, value)

        assert rules.replay(decision) is False

    def test_refuses_where_the_version_is_gone(self, decision):
        decision.rule_version = 9

        with pytest.raises(UnknownRule, match="may_spend version 9"):
            rules.replay(decision)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=10,
)


class TestCanonicalJson:
    def test_is_the_same_whatever_the_order(self):
        assert rules.canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'

    @given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=4))
    def test_survives_the_column_it_is_kept_in(self, django_db_setup, django_db_blocker, inputs):
        canonical = rules.canonical_json(inputs)

        with django_db_blocker.unblock():
            ((stored,),) = as_owner("SELECT %s::jsonb", [canonical.decode()])

        assert rules.canonical_json(stored) == canonical
