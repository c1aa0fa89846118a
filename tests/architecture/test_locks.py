"""What is installed is what was locked: every package by its version, every file by its hash."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.asking import ROOT

pytestmark = pytest.mark.requirement("B29")

FILES = ("requirements", "tests/requirements")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(name):
    """The pins of a readable file: package to version."""
    lines = (ROOT / f"{name}.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    return {canonicalize_name(each.name): str(each.specifier) for each in found}


def locked(name):
    """A lock: package to its version and how many files it has the hashes of."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / f"{name}.lock").read_text(), flags=re.MULTILINE)
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        requirement = Requirement(line.partition(" --hash")[0].strip())
        found[canonicalize_name(requirement.name)] = (str(requirement.specifier), len(HASH.findall(line)))
    return found


class TestLocks:
    @pytest.mark.parametrize("name", FILES)
    def test_cover_every_pin(self, name):
        lock = {package: version for package, (version, _) in locked(name).items()}

        # Where this fails: `make lock`.
        assert {package: lock.get(package) for package in pins(name)} == pins(name)

    @pytest.mark.parametrize("name", FILES)
    def test_have_one_version_and_a_hash_of_each_package(self, name):
        lock = locked(name)

        assert [package for package, (version, _) in lock.items() if not re.fullmatch(r"==[^,*]+", version)] == []
        assert [package for package, (_, hashes) in lock.items() if not hashes] == []
        assert "://" not in (ROOT / f"{name}.lock").read_text()

    def test_agree(self):
        run, test = (locked(name) for name in FILES)

        assert {package: test.get(package) for package in run} == run
