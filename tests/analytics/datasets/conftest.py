"""A merchant's trade in files."""

import pytest


@pytest.fixture(autouse=True)
def datasets_dir(settings, tmp_path):
    """A folder of files for each test."""
    settings.DATASETS_DIR = tmp_path / "datasets"
    return settings.DATASETS_DIR


@pytest.fixture
def month(book):
    """Sixty orders of two weeks, in two months."""
    from tests.analytics.facts.world import Trade  # models, which nobody may import before Django is set up

    trade = Trade(book, days=14)
    for _ in range(60):
        trade.order()
    trade.write()
    return trade
