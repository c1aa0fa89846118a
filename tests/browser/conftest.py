def pytest_configure(config):
    """The cast, the server and the browser need Django's apps, which the root's own turn has loaded."""
    for module in ("cast", "payers", "acquirer", "contract.server", "browser.chromium"):
        config.pluginmanager.import_plugin(f"tests.{module}")
