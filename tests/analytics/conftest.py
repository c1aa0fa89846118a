"""The cast, for all tests of analytics, and payments as Home counts them."""


def pytest_configure(config):
    config.pluginmanager.import_plugin("tests.cast")
