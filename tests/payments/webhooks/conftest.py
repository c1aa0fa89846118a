def pytest_configure(config):
    """The cast and the post need Django's apps, which the root's own turn has loaded."""
    for module in ("cast", "payments.webhooks.post"):
        config.pluginmanager.import_plugin(f"tests.{module}")
