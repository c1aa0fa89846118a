"""What browsers are given of others' work is what was taken in, to the byte, under a licence that allows it."""

import hashlib
import json

import pytest

from tests.architecture.asking import ROOT

FOLDERS = [ROOT / "merchant_platform" / "static" / "vendor", ROOT / "tests" / "vendor"]
LICENCES = {"Apache-2.0", "MIT", "0BSD", "OFL-1.1"}
# Not shipped: a checker of the tests.
OF_TESTS = {"MPL-2.0"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
class TestVendored:
    def test_files_are_those_that_were_taken_in(self, folder):
        listed = {
            f"{package['folder']}/{path}": digest
            for package in json.loads((folder / "vendor.json").read_text())
            for path, digest in package["sha256"].items()
        }

        present = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "vendor.json"
        }

        assert present == listed

    def test_packages_have_a_version_and_a_licence_that_allows_it(self, folder):
        packages = json.loads((folder / "vendor.json").read_text())

        assert [each["name"] for each in packages if not each["version"]] == []
        assert {each["licence"] for each in packages} <= (LICENCES if "static" in folder.parts else OF_TESTS)
