"""The words of roles and actions keep step with the table."""

from security.access import words
from security.access.roles import ACTIONS, MERCHANT_ROLES


class TestWords:
    def test_are_there_for_every_action_once_and_for_no_other(self):
        spoken = [action for _, actions in words.GROUPS for action in actions]

        assert sorted(spoken) == sorted(ACTIONS)

    def test_are_there_for_every_role(self):
        assert set(words.ROLES) == set(MERCHANT_ROLES)
