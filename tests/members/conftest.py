"""The cast, for all tests of members."""


def pytest_configure(config):
    config.pluginmanager.import_plugin("tests.cast")
