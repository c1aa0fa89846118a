def pytest_configure(config):
    """The cast and the server need Django's apps, which the root's own turn has loaded."""
    config.pluginmanager.import_plugin("tests.cast")
    config.pluginmanager.import_plugin("tests.acquirer")
    config.pluginmanager.import_plugin("tests.payers")
    config.pluginmanager.import_plugin("tests.contract.server")
    config.pluginmanager.import_plugin("tests.contract.integrator")
