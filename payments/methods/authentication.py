"""How strongly a payer showed that it is them: the classes of factor, and by which exemption fewer than two will do.

Two different classes make a payment strong. With fewer, it needs an exemption that has a
name, in the order of the law: the payer is not there and the merchant asks (merchant
initiated, or one of a series: recurring), the payer listed the payee as trusted, the
amount is low. Low ones are counted, in number and in sum, since the payer last showed two
factors; over either bound the exemption ends until they do so again.

What a card's bank decides, it decides by itself and never tells how: its challenge that
was passed counts as strong, its waiver by risk analysis as an exemption, both by name.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel.decisions.rules import Inputs, Reason, Verdict, rule, words

RULE, VERSION = "strong_authentication", 1
KNOWLEDGE, POSSESSION, INHERENCE = CLASSES = ("knowledge", "possession", "inherence")
STRONG, EXEMPT, WEAK = "strong", "exempt", "single_factor"
# What the bank of a card did about its holder.
CHALLENGED, WAIVED, FAILED = "challenged", "waived", "failed"
LOW_VALUE, CONTACTLESS = "low_value", "contactless"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one payment may be, and how much they may come to since the last strong one."""

    one_minor: int
    sum_minor: int


COUNT_MAX = 5
# By currency; in any other no payment is low.
BOUNDS: dict[str, dict[str, Bounds]] = {
    LOW_VALUE: {"EUR": Bounds(3_000, 10_000), "CNY": Bounds(20_000, 100_000)},
    CONTACTLESS: {"EUR": Bounds(5_000, 15_000), "CNY": Bounds(35_000, 105_000)},
}


@rule(RULE, version=VERSION)
def strong_authentication(inputs: Inputs) -> Verdict:
    """Two classes, or an exemption by name, or neither.

    `is_present`: the payer is there. `classes`: what they showed. `bank`: what the card's
    bank did. `amount_minor`, `currency`; `count` and `sum_minor`: exempted as low since the
    last strong payment, without this one. Besides, where so: `is_recurring`, `is_trusted`,
    `is_contactless`.
    """
    shown = sorted(set(inputs.get("classes", ())) & set(CLASSES))
    if len(shown) >= 2:
        return Verdict(STRONG, [Reason("two_factors")])
    if inputs.get("bank") == CHALLENGED:
        return Verdict(STRONG, [Reason("bank_challenged")])
    if not inputs["is_present"]:
        return Verdict(EXEMPT, [Reason("recurring" if inputs.get("is_recurring") else "merchant_initiated")])
    if inputs.get("bank") == WAIVED:
        return Verdict(EXEMPT, [Reason("bank_waived")])
    if inputs.get("is_trusted"):
        return Verdict(EXEMPT, [Reason("trusted_payee")])
    if inputs.get("bank") == FAILED or "count" not in inputs:
        # Who does not count, cannot call it low: of a card its bank counts.
        return Verdict(WEAK, [Reason("one_factor")], remedy="show_two_factors")
    return _low(inputs)


def _low(inputs: Inputs) -> Verdict:
    kind = CONTACTLESS if inputs.get("is_contactless") else LOW_VALUE
    bounds = BOUNDS[kind].get(inputs["currency"])
    if bounds is None or inputs["amount_minor"] > bounds.one_minor:
        return Verdict(WEAK, [Reason("one_factor")], remedy="show_two_factors")
    count, sum_minor = inputs["count"] + 1, inputs["sum_minor"] + inputs["amount_minor"]
    if count > COUNT_MAX or sum_minor > bounds.sum_minor:
        return Verdict(WEAK, [Reason("too_many_low", {"count": inputs["count"]})], remedy="show_two_factors")
    return Verdict(EXEMPT, [Reason(kind, {"count": count, "count_max": COUNT_MAX})])


words(
    "two_factors",
    customer=_("You confirmed this payment in two different ways."),
    cashier=_("The customer confirmed the payment in two different ways."),
    merchant=_("The customer confirmed the payment with factors of two different classes."),
)
words(
    "bank_challenged",
    customer=_("You confirmed this payment with your bank."),
    cashier=_("The customer confirmed the payment with their bank."),
    merchant=_("The customer confirmed the payment with their bank (3-D Secure)."),
)
words(
    "merchant_initiated",
    customer=_("The merchant charged you as you agreed earlier, while you were not there."),
    cashier=_("The customer was not there: they agreed to it earlier."),
    merchant=_("Exempt: you charged it while the customer was not there, as they agreed earlier."),
)
words(
    "recurring",
    customer=_("This is one of a series that you agreed to."),
    cashier=_("This is one of a series that the customer agreed to."),
    merchant=_("Exempt: one of a series that the customer agreed to."),
)
words(
    "bank_waived",
    customer=_("Your bank did not ask you to confirm this payment."),
    cashier=_("The customer's bank did not ask them to confirm."),
    merchant=_("Exempt: the customer's bank found the risk low and did not ask (3-D Secure)."),
)
words(
    "trusted_payee",
    customer=_("You trust this merchant, so you were not asked to confirm."),
    cashier=_("The customer listed the shop as trusted."),
    merchant=_("Exempt: the customer listed you as a trusted payee."),
)
words(
    "low_value",
    customer=_("The amount is small: {count} of {count_max} since you last confirmed in two ways."),
    cashier=_("The amount is small: {count} of {count_max} in a row."),
    merchant=_("Exempt: a low amount, {count} of {count_max} since the customer last showed two factors."),
)
words(
    "contactless",
    customer=_("A small contactless payment: {count} of {count_max} since you last confirmed in two ways."),
    cashier=_("A small contactless payment: {count} of {count_max} in a row."),
    merchant=_("Exempt: a low contactless amount, {count} of {count_max} since the customer last showed two factors."),
)
words(
    "one_factor",
    customer=_("You confirmed this payment in one way only."),
    cashier=_("The customer confirmed in one way only."),
    merchant=_("Fewer than two factors, and no exemption that covers it: a dispute would go against you."),
)
words(
    "too_many_low",
    customer=_("After {count} small payments, confirm the next one in two ways."),
    cashier=_("The customer has to confirm in two ways again."),
    merchant=_("Fewer than two factors after {count} low amounts in a row: a dispute would go against you."),
)
