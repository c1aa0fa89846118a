import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _no_tries_counted():
    """What earlier tests counted of tries is forgotten."""
    cache.clear()
