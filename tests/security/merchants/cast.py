"""People and places of the café, for tests of its rooms."""

import pytest

from security.access.roles import CASHIER, MANAGER, OWNER
from security.identity.models import User
from security.merchants import operations as merchants
from tests.cast import NOW


@pytest.fixture
def hired(merchant):
    """Hires somebody: `hired("cashier")`, `hired("owner", at=other_merchant, stores=[bund])`."""
    numbers = iter(range(1_000))

    def hire(role, *, at=None, stores=()):
        user = User.objects.create_user(email=f"{role}{next(numbers)}@example.com")
        return merchants.hire(user=user, merchant=at or merchant, role=role, stores=stores, now=NOW)

    return hire


@pytest.fixture
def owner(hired):
    return hired(OWNER)


@pytest.fixture
def manager(hired):
    return hired(MANAGER)


@pytest.fixture
def cashier(hired):
    return hired(CASHIER)


@pytest.fixture
def bund(merchant):
    return merchants.open_store(merchant=merchant, name="Bund", now=NOW)


@pytest.fixture
def park(merchant):
    return merchants.open_store(merchant=merchant, name="Park", now=NOW)
