"""Which handlers react to which event: the one page.

A handler takes the event, or where it is marked `router.together` a list of one book's; it may run twice, in any order.
"""

from merchant_platform.kernel.events.router import Follower

REACTIONS: dict[str, tuple[str, ...]] = {
    "order.tendered": ("members.loyalty.following.earn_tendered",),
    "order.tender_refunded": ("members.loyalty.following.take_back_tendered",),
    "consent.granted": ("members.features.operations.on_consent",),
    "consent.withdrawn": (
        "members.directory.reactions.on_consent_withdrawn",
        "members.features.operations.on_consent",
    ),
    "customer.deleted": (
        "members.directory.reactions.on_customer_deleted",
        "analytics.datasets.reactions.on_customer_deleted",
    ),
    "provider.notice_received": ("payments.intents.notices.apply",),
    "provider.report_parked": ("merchant_platform.alarms.mail_parked_report",),
    "ledger.difference_found": ("merchant_platform.alarms.mail_operators",),
    "webhook_endpoint.disabled": ("payments.webhooks.letters.tell_staff",),
}

# What every payment tells is owed to its handlers after the commit (payments/webhooks/fan_out.py), in the books alone
# that ask for it: the payment's transaction writes nothing for them.
FOLLOWERS: tuple[Follower, ...] = (
    Follower("payment_intent.succeeded", "members.loyalty.following.earn", "members.loyalty.following.books"),
    Follower("charge.refunded", "members.loyalty.following.take_back", "members.loyalty.following.books"),
    Follower("refund.failed", "members.loyalty.following.take_back", "members.loyalty.following.books"),
    Follower("offer.redeemed", "members.loyalty.following.grant_bonus", "members.loyalty.following.books"),
    Follower("member.created", "members.loyalty.following.join", "members.loyalty.following.books"),
)

# What merchants are told: the types that /v1/events lists and an endpoint can ask for. A test holds every publisher
# against this page.
PUBLIC_TYPES: tuple[str, ...] = (
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.completed",
    "checkout.session.expired",
    "coupon.created",
    "coupon.deleted",
    "coupon.updated",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "member.created",
    "member.merged",
    "member.updated",
    "offer.created",
    "offer.redeemed",
    "offer.updated",
    "order.created",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "price.created",
    "price.updated",
    "points.adjusted",
    "points.earned",
    "points.expired",
    "points.expiring",
    "points.programme.created",
    "points.programme.updated",
    "points.returned",
    "points.reversed",
    "points.spent",
    "points.transferred",
    "product.created",
    "product.deleted",
    "product.updated",
    "redemption.completed",
    "redemption.created",
    "redemption.voided",
    "promotion_code.created",
    "promotion_code.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "report.canceled",
    "report.created",
    "report.failed",
    "report.succeeded",
    "reward.created",
    "reward.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "stored_value_card.created",
    "stored_value_card.updated",
    "tier.changed",
)
