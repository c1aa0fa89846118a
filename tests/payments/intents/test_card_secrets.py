"""A card's number and its security code are nowhere: no row, no log, no event, no stored answer."""

import logging

import pytest

from tests.payments import books
from tests.payments.card_acts import by_number, pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
# Numbers whose digits nothing else spells by chance; the code likewise.
SEEDED = ("5555555555554444", "4000000000000002", "4000002760003184")
CVC = "8371"


@pytest.mark.requirement("A22")
def test_are_nowhere(api, acquirer, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    amex = "378282246310005"
    for number in SEEDED:
        pay(api, None, key=f"key-{number[-4:]}", **by_number(number, cvc="837"))
    acquirer.fail("timeout_after_commit", operation="authorise")
    pay(api, None, key="key-amex", **by_number(amex, cvc=CVC))
    api.post("payment_methods", {"type": "card", "card": {"number": amex, "exp_month": 13, "exp_year": 34, "cvc": CVC}})
    api.post("payment_methods", json={"type": "card", "card": {"number": int(amex), "exp_month": "x", "cvc": CVC}})

    dump = "\n".join(row for rows in books.rows().values() for row in rows)
    told = caplog.text + "".join(capfd.readouterr())
    log = acquirer.process.log.read_text()
    for secret in (*SEEDED, amex):
        for place in (dump, told, log):
            assert secret not in place
    assert f'"{CVC}"' not in dump + told + log
    assert "cvc" not in told
