"""Why a price is what it is: the rule that a decision names, and its reasons in the words of people.

The rule is the engine itself, so that a decision about an order can be run again: the same
cart and the same versions of the offers give the same shares to the minor unit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.offers import engine
from members.offers.frames import Cart, NearMiss, Offer, Priced
from merchant_platform.kernel.decisions import rules as decisions
from merchant_platform.kernel.decisions.rules import Inputs, Reason, Verdict, rule, words
from merchant_platform.kernel.money import Money

RULE = "offer_pricing"
DISCOUNTED, FULL_PRICE = "discounted", "full_price"
CUSTOMER, CASHIER, MERCHANT = "customer", "cashier", "merchant"


@rule(RULE, version=1)
def offer_pricing(inputs: Inputs) -> Verdict:
    """What each offer takes off a cart, line by line, and why the others do not."""
    return verdict(engine.price(Cart.read(inputs["cart"]), [Offer.read(each) for each in inputs["offers"]]))


def inputs(cart: Cart, offers: Sequence[Offer], priced: Priced) -> dict[str, Any]:
    """What a decision keeps: the cart, and of all the offers those that had a say."""
    heard = {each.offer for each in priced.applied} | {each.offer for each in priced.near_misses}
    heard |= {reason.values["offer"] for reason in priced.refused if "offer" in reason.values}
    return {"cart": cart.as_json(), "offers": [offer.as_json() for offer in offers if offer.id in heard]}


def verdict(priced: Priced) -> Verdict:
    """The engine's answer as the kernel keeps it: grants with their shares first, then refusals."""
    granted = [
        Reason(
            reason.code,
            {**reason.values, "version": each.version, "shares": dict(each.shares), "costs": dict(each.costs)}
            if reason.code == "offer_applied"
            else reason.values,
        )
        for each in priced.applied
        for reason in each.reasons
    ]
    nearest = priced.near_misses[0].as_json() if priced.near_misses else None
    return Verdict(
        DISCOUNTED if priced.discount_minor else FULL_PRICE,
        [*granted, *priced.refused],
        near_miss=nearest,
        remedy="add_to_cart" if nearest else "",
    )


def say(reason: Reason | Mapping[str, Any], *, audience: str) -> str:
    """A reason for somebody, in the active language, with amounts as people write them."""
    code = reason.code if isinstance(reason, Reason) else reason["code"]
    values = dict(reason.values if isinstance(reason, Reason) else reason.get("values", {}))
    for name in [name for name in values if name.endswith("_minor")]:
        values[name.removesuffix("_minor")] = _money(values[name], values["currency"])
    return decisions.explain({"code": code, "values": values}, audience=audience)


def say_near_miss(near: NearMiss | Mapping[str, Any]) -> str:
    """What is missing and what it brings: 再买 ¥12.00 可减 ¥20.00."""
    given = near if isinstance(near, Mapping) else near.as_json()
    currency = given["currency"]
    if given["missing_minor"] and given["discount_minor"]:
        return str(_("Add {missing} more to save {discount}.")).format(
            missing=_money(given["missing_minor"], currency), discount=_money(given["discount_minor"], currency)
        )
    if given["missing_minor"]:
        return str(_("Add {missing} more for “{name}”.")).format(
            missing=_money(given["missing_minor"], currency), name=given["name"]
        )
    return str(_("Take {count} more for “{name}”.")).format(count=given["missing_count"], name=given["name"])


def _money(amount_minor: int, currency: str) -> str:
    return Money(amount_minor, currency).text(translation.to_locale(translation.get_language() or "en"))


def _same(code: str, *, customer: Any, merchant: Any) -> None:
    """A reason that the cashier says as the customer reads it."""
    words(code, customer=customer, cashier=customer, merchant=merchant)


words(
    "offer_applied",
    customer=_("{name}: you save {discount}."),
    cashier=_("{name}: {discount} off."),
    merchant=_("“{name}” gave {discount}."),
)
words(
    "points_granted",
    customer=ngettext_lazy("You earn {points} extra point.", "You earn {points} extra points.", "points"),
    cashier=ngettext_lazy(
        "{points} extra point goes to the customer.", "{points} extra points go to the customer.", "points"
    ),
    merchant=ngettext_lazy("It grants {points} extra point.", "It grants {points} extra points.", "points"),
)
words(
    "member_tier",
    customer=_("This is your benefit as a {tier} member."),
    cashier=_("A {tier} member."),
    merchant=_("The customer is a {tier} member."),
)
words(
    "reduced_by_margin",
    customer=_("This is the best price for some of these goods."),
    cashier=_("Some goods are at their lowest price: the offer gave {by} less."),
    merchant=_("The margin floor kept back {by}."),
)
_same(
    "reduced_to_limit",
    customer=_("The offer gives {limit} at the most."),
    merchant=_("The offer's own limit of {limit} was reached."),
)
words(
    "offer_not_combined",
    customer=_("“{name}” does not go together with {better}, which saves you more."),
    cashier=_("“{name}” stands alone; {better} takes more off."),
    merchant=_("“{name}” is exclusive, and {better} took more off."),
)
_same(
    "offer_below_threshold",
    customer=_("“{name}”: buy for {missing} more to save {discount}."),
    merchant=_("The cart was {missing} short of “{name}”, worth {discount}."),
)
_same(
    "offer_too_few",
    customer=_("“{name}”: take {missing_count} more."),
    merchant=_("The cart was {missing_count} short of “{name}”."),
)
_same(
    "offer_incomplete",
    customer=_("“{name}” needs the whole set."),
    merchant=_("The set of “{name}” was not complete."),
)
_same(
    "offer_nothing_to_give",
    customer=_("“{name}” does not make these goods cheaper."),
    merchant=_("“{name}” found nothing that it makes cheaper."),
)
_same(
    "offer_nothing_here",
    customer=_("“{name}” is for other goods."),
    merchant=_("Nothing in the cart is what “{name}” is for."),
)
_same(
    "offer_nothing_left",
    customer=_("Nothing is left that “{name}” could take off."),
    merchant=_("Other offers left nothing for “{name}” to take off."),
)
words(
    "offer_margin_kept",
    customer=_("These goods are at their lowest price already."),
    cashier=_("“{name}”: these goods are at their lowest price already."),
    merchant=_("The margin floor of “{name}” left nothing to give."),
)
_same(
    "offer_other_currency",
    customer=_("“{name}” is for payments in {currency}."),
    merchant=_("“{name}” is in {currency}, the cart is not."),
)
_same(
    "offer_other_store",
    customer=_("“{name}” is not for this store."),
    merchant=_("“{name}” does not run in the store of this cart."),
)
_same(
    "offer_other_tier",
    customer=_("“{name}” is for {tiers} members."),
    merchant=_("“{name}” is for {tiers} members, and nobody knew the customer as one."),
)
_same(
    "offer_other_hours",
    customer=_("“{name}” is for {hours} only."),
    merchant=_("“{name}” was outside its hours, {hours}."),
)
_same("offer_not_started", customer=_("“{name}” has not begun yet."), merchant=_("“{name}” had not begun."))
_same("offer_ended", customer=_("“{name}” is over."), merchant=_("“{name}” had ended."))
_same("offer_paused", customer=_("“{name}” is not running just now."), merchant=_("“{name}” was paused."))
_same("offer_draft", customer=_("“{name}” is not running just now."), merchant=_("“{name}” was a draft."))
_same("offer_used_up", customer=_("“{name}” is used up."), merchant=_("“{name}” had reached its number of uses."))
_same(
    "offer_sold_out",
    customer=_("“{name}” is sold out."),
    merchant=_("All counted pieces of “{name}” were taken."),
)
_same(
    "offer_budget_spent",
    customer=_("“{name}” is used up."),
    merchant=_("The budget of “{name}” does not reach for this cart."),
)
_same(
    "offer_used_by_customer",
    customer=_("You have used “{name}” as often as you may."),
    merchant=_("The customer had used “{name}” as often as one may."),
)
_same(
    "offer_needs_customer",
    customer=_("“{name}” is for customers who sign in."),
    merchant=_("“{name}” counts by customer, and nobody knew who this was."),
)
_same(
    "offer_first_purchase_only",
    customer=_("“{name}” is for a first purchase."),
    merchant=_("“{name}” is for a first purchase, and this customer had bought before."),
)
words(
    "offer_needs_consent",
    customer=_("“{name}” follows your habits. You get it once you agree to personal offers."),
    cashier=_("“{name}” needs the customer's consent to personal offers."),
    merchant=_("The customer did not agree to personal offers, so nobody looked."),
)
_same(
    "offer_not_for_habits",
    customer=_("“{name}” is not for you just now."),
    merchant=_("No rule of “{name}” fits the customer's figures."),
)
_same("code_unknown", customer=_("There is no code {code}."), merchant=_("Somebody typed {code}, which is no code."))
_same("code_inactive", customer=_("The code {code} does not work any more."), merchant=_("{code} is switched off."))
_same("code_expired", customer=_("The code {code} has expired."), merchant=_("{code} had expired."))
_same("code_used_up", customer=_("The code {code} was used before."), merchant=_("{code} had been used up."))
_same(
    "code_someone_else",
    customer=_("The code {code} is for somebody else."),
    merchant=_("{code} is another customer's own code."),
)
_same(
    "code_other_currency",
    customer=_("The code {code} is for payments in another currency."),
    merchant=_("The minimum of {code} is in another currency than the cart."),
)
_same(
    "code_same_offer",
    customer=_("{code} is for the same offer as {other}: one is enough."),
    merchant=_("{code} and {other} lead to the same offer."),
)
words(
    "personal_frequency",
    customer=_("Thank you for coming {value} times."),
    cashier=_("A regular: {value} visits."),
    merchant=_("The customer came {value} times."),
)
words(
    "personal_spent_minor",
    customer=_("Thank you for your loyalty."),
    cashier=_("A customer of great value."),
    merchant=_("What the customer spent so far met the rule."),
)
words(
    "personal_recency_days",
    customer=_("Welcome back: it has been {value} days."),
    cashier=_("Back after {value} days."),
    merchant=_("The customer's last visit was {value} days ago."),
)
words(
    "personal_favourite_category",
    customer=_("Because you like {value}."),
    cashier=_("Likes {value}."),
    merchant=_("The customer's favourite category is {value}."),
)
words(
    "personal_churn_risk",
    customer=_("We would like to see you more often."),
    cashier=_("We would like to see this customer more often."),
    merchant=_("The customer's risk of staying away met the rule."),
)
