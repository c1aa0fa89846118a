def pytest_configure(config):
    """The cast needs Django's apps, which the root's own turn has loaded."""
    for module in ("cast", "payers", "acquirer"):
        config.pluginmanager.import_plugin(f"tests.{module}")
