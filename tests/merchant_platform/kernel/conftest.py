def pytest_configure(config):
    """The cast needs Django's apps, which the root's own turn has loaded."""
    config.pluginmanager.import_plugin("tests.cast")
