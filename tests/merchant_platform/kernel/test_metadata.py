import pytest

from merchant_platform.kernel import metadata


class TestMerge:
    @pytest.mark.parametrize(
        ("present", "change", "merged"),
        [
            ({}, {"a": "1"}, {"a": "1"}),
            ({"a": "1"}, {"b": "2"}, {"a": "1", "b": "2"}),
            ({"a": "1"}, {"a": "2"}, {"a": "2"}),
            ({"a": "1", "b": "2"}, {"a": None}, {"b": "2"}),
            ({}, {"a": None}, {}),
            ({"a": "1"}, {}, {"a": "1"}),
            ({"a": "1"}, None, {"a": "1"}),
            ({"a": "1", "b": "2"}, metadata.DELETE_ALL, {}),
        ],
    )
    def test_adds_changes_and_deletes(self, present, change, merged):
        assert metadata.merge(present, change) == merged

    def test_leaves_what_was_there_as_it_was(self):
        present = {"a": "1"}

        metadata.merge(present, {"b": "2"})["c"] = "3"

        assert present == {"a": "1"}

    def test_holds_fifty_keys(self):
        full = {f"k{number}": "x" for number in range(50)}

        assert len(metadata.merge(full, {"k0": "y"})) == 50
        assert len(metadata.merge(full, {"k0": None, "new": "y"})) == 50
        with pytest.raises(metadata.TooManyKeys) as refused:
            metadata.merge(full, {"new": "y"})
        assert (refused.value.code, refused.value.param) == ("metadata_too_long", "metadata")
