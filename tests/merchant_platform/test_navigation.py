"""The navigation, as a table: each page can be reached, its keys are its own, and its icon exists."""

import pytest
from django.conf import settings
from django.urls import resolve

from merchant_platform.navigation import NAVIGATION
from security.access import roles
from security.web.desk import address

ITEMS = [item for group in NAVIGATION for item in group.items]
ALL = [*ITEMS, *(action for group in NAVIGATION for action in group.actions)]
# What other keys begin with, or do by themselves.
TAKEN = {"/", "?", "g"}


class TestNavigation:
    def test_gives_no_keys_twice(self):
        keys = [item.keys for item in ITEMS if item.keys]

        assert sorted(keys) == sorted(set(keys))
        assert [each for each in keys if each in TAKEN or not each.startswith("g ")] == []

    @pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
    @pytest.mark.parametrize("mode", ["live", "test"])
    def test_asks_for_the_action_that_its_page_asks_for(self, item, mode):
        found = resolve(address(item.name, merchant="cafe", mode=mode))

        assert found.kwargs == {"merchant": "cafe", "mode": mode}
        assert found.func.desk_action == item.action
        assert item.action is None or item.action in roles.ACTIONS

    def test_has_a_picture_for_each_page(self):
        sprite = (settings.BASE_DIR / "merchant_platform/static/vendor/icons/sprite.svg").read_text()

        assert [item.icon for item in ALL if f'id="{item.icon}"' not in sprite] == []
