"""Which handlers react to which event: the one page. A handler takes the event, may run twice, in any order."""

REACTIONS: dict[str, tuple[str, ...]] = {
    "provider.notice_received": ("payments.intents.notices.apply",),
    "provider.report_parked": ("merchant_platform.alarms.mail_parked_report",),
    "ledger.difference_found": ("merchant_platform.alarms.mail_operators",),
}
