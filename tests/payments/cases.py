"""How many cases a generated test tries: some on every run, as many as asked for by `make prove N=...`."""

import os
from typing import Any

import pytest

SEED = int(os.environ.get("PROVE_SEED", "0")) or int.from_bytes(os.urandom(4), "big")


def cases(on_every_run: int) -> Any:
    """Parametrizes a test by its number of cases: `@cases(200)`."""
    asked = int(os.environ.get("PROVE_N", "1000"))
    return pytest.mark.parametrize(
        "cases_max", [pytest.param(on_every_run, id="few"), pytest.param(asked, id="many", marks=pytest.mark.prove)]
    )
