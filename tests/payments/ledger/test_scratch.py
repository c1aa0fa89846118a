import pytest
from tests.payments.ledger.test_machine import *
from hypothesis import Phase


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_x(platform):
    LedgerMachine.tried.clear()
    import os

    run_state_machine_as_test(
        seed(int(os.environ.get("S", "439951125")))(LedgerMachine),
        settings=settings(
            max_examples=200,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(sorted(LedgerMachine.tried.items(), key=lambda x: -x[1]), LedgerMachine.examples)
