"""What a charge says of its payer's factors. Read off its row: nothing is written for it beside the payment.

A wallet payment through the API has none: the customer gave a mandate earlier, and the
merchant asks while they are not there. On our pay page the row keeps what was shown and
what had been exempted until then, so that the rule gives the same answer for ever. A
card's row keeps what its bank said.
"""

from typing import Any

from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.rules import Verdict
from payments.intents.models import Attempt
from payments.methods.authentication import CHALLENGED, FAILED, RULE, VERSION, WAIVED

# What an attempt's `authentication` holds of a wallet payment; of a card it is the provider's own.
SHOWN = "shown"
# The answer of 3-D Secure by its letter (transStatus), where nobody was challenged.
_UNCHALLENGED = {"Y": WAIVED, "A": WAIVED, "I": WAIVED, "N": FAILED, "R": FAILED, "U": FAILED}


def of(attempt: Attempt) -> Verdict:
    """Whether a charge was strongly authenticated, or exempt and why: by the rule that it was paid under."""
    shown = (attempt.authentication or {}).get(SHOWN)
    if shown:
        return rules.evaluate(RULE, shown["inputs"], version=shown["version"])
    return rules.evaluate(RULE, _inputs(attempt), version=VERSION)


def classes(attempt: Attempt) -> list[str]:
    """The classes that the payer showed to us; what they showed to their bank, it keeps to itself."""
    shown = (attempt.authentication or {}).get(SHOWN)
    return list(shown["inputs"]["classes"]) if shown else []


def kept(inputs: dict[str, Any]) -> dict[str, Any]:
    """What the row of a wallet payment keeps."""
    return {SHOWN: {"inputs": inputs, "version": VERSION}}


def shown(attempt: Attempt) -> dict[str, Any]:
    """The same as the API says it."""
    verdict = of(attempt)
    (reason,) = verdict.reasons
    return {
        "exemption": reason.code if verdict.verdict == "exempt" else None,
        "factors": classes(attempt),
        "reason": reason.code,
        "result": verdict.verdict,
    }


def _inputs(attempt: Attempt) -> dict[str, Any]:
    is_present = attempt.provider is not None and not attempt.is_off_session
    return {"is_present": is_present, "bank": _bank(attempt)}


def _bank(attempt: Attempt) -> str:
    status = (attempt.authentication or {}).get("transStatus", "")
    if attempt.challenge_url and status == "Y":
        return CHALLENGED
    return _UNCHALLENGED.get(status, "")
