"""Imports go down only: the contracts stand in pyproject.toml, `lint-imports` runs them and so does this test."""

import pytest
from importlinter.api import read_configuration
from importlinter.application.use_cases import lint_imports

from tests.architecture.asking import APPS, ROOT

CONTRACTS = {
    contract["name"]: contract for contract in read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
}


def contract(beginning: str) -> dict:
    return next(contract for name, contract in CONTRACTS.items() if name.startswith(beginning))


class TestFloors:
    def test_are_kept(self, monkeypatch, capsys):
        monkeypatch.chdir(ROOT)

        are_kept = lint_imports(config_filename="pyproject.toml", cache_dir=None)

        assert are_kept, capsys.readouterr().out

    def test_list_every_module_of_the_roof(self):
        folder = ROOT / "merchant_platform"
        modules = {path.stem for path in folder.glob("*.py")} | {
            path.parent.name for path in folder.glob("*/__init__.py")
        }

        roof = contract("Floors")["layers"][0].split(" : ")

        assert {f"merchant_platform.{name}" for name in modules - {"__init__", "kernel"}} == set(roof)

    def test_stand_on_every_app_in_its_order(self):
        layers = contract("Floors")["layers"][1:]

        assert layers == ["analytics", "members", "payments", "security", "merchant_platform.kernel"]
        assert {layer.partition(".")[0] for layer in layers} == set(APPS)

    @pytest.mark.parametrize("app", ["payments", "security", "merchant_platform.kernel"])
    def test_order_every_room_of_an_app(self, app):
        rooms = next(each for each in CONTRACTS.values() if each.get("containers") == [app])

        assert rooms["exhaustive"] == "True"
        assert rooms["exhaustive_ignores"] == ["migrations"]

    def test_except_nothing_but_readers_of_the_ledger(self):
        excepted = {name: each["ignore_imports"] for name, each in CONTRACTS.items() if "ignore_imports" in each}

        assert excepted == {
            "The ledger's tables are read and written by the ledger": [
                "payments.web.tables -> payments.ledger.models",
            ]
        }
