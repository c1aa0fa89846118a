from hypothesis import settings

# How fast a machine is today is no property of the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_configure(config):
    """The cast needs Django's apps, which the root's own turn has loaded."""
    config.pluginmanager.import_plugin("tests.cast")
