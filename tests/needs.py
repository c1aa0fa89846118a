"""What a test needs of the machine beyond Python: missing, it is not run, and in CI it fails."""

import os
import shutil

import pytest

NOT_RUN = "not run: "


def program(name: str, *, package: str, is_ours: bool = True) -> str:
    """The path of a program. The test ends here where it is missing.

    What the platform does not come with, such as an operator's proxy, CI may lack as well.
    """
    found = shutil.which(name)
    what = f"{name} is not installed (apt-get install {package})"
    if found is None and not is_ours:
        pytest.skip(NOT_RUN + what)
    return found or missing(what)


def missing(what: str):
    """This will end the test: as not run on a developer's machine, as failed in CI, where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(NOT_RUN + what, pytrace=False)
    pytest.skip(NOT_RUN + what)
