"""Which handlers react to which event: the one page. A handler takes the event, may run twice, in any order."""

REACTIONS: dict[str, tuple[str, ...]] = {
    "ledger.difference_found": ("merchant_platform.alarms.mail_operators",),
}
