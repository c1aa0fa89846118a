def pytest_configure(config):
    """The cast needs Django's apps, which the root's own turn has loaded."""
    for module in ("cast", "security.merchants.cast"):
        config.pluginmanager.import_plugin(f"tests.{module}")
