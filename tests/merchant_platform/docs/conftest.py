import pytest


def pytest_configure(config):
    """The cast needs Django's apps, which the root's own turn has loaded."""
    config.pluginmanager.import_plugin("tests.cast")
    config.pluginmanager.import_plugin("tests.acquirer")


@pytest.fixture(params=["zh-hans", "en"])
def language(request):
    """Each language that a page is written in."""
    return request.param
