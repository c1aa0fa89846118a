import pytest

from merchant_platform.kernel import versions


class TestOf:
    def test_changes_with_anything_that_is_shown(self):
        assert versions.of({"a": 1}) == versions.of({"a": 1})
        assert len({versions.of(shown) for shown in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"}, {})}) == 5


class TestCheckSeen:
    def test_lets_pass_what_still_stands_or_was_never_seen(self):
        versions.check_seen(versions.of({"a": 1}), versions.of({"a": 1}))
        versions.check_seen(None, versions.of({"a": 1}))

    @pytest.mark.parametrize("seen", [versions.of({"a": 1}), "", "0"])
    def test_refuses_what_somebody_changed_meanwhile(self, seen):
        with pytest.raises(versions.ChangedMeanwhile):
            versions.check_seen(seen, versions.of({"a": 2}))
