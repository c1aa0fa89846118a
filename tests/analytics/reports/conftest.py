"""A café that sold something, and who asks for reports."""


def pytest_configure(config):
    config.pluginmanager.import_plugin("tests.analytics.reports.asking")
