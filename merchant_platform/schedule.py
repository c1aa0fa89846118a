"""What runs by the clock: names, periods and queues, on one page. Every task may run twice at once without harm."""

from celery.schedules import crontab

SCHEDULE = {
    "follow facts": {"task": "analytics.follow_facts", "schedule": 10.0, "options": {"queue": "reports"}},
    "write datasets": {"task": "analytics.write_datasets", "schedule": 300.0, "options": {"queue": "reports"}},
    "sweep datasets": {
        "task": "analytics.sweep_datasets",
        "schedule": crontab(minute="29"),
        "options": {"queue": "reports"},
    },
    "roll totals forward": {"task": "payments.roll_totals_forward", "schedule": 15.0, "options": {"queue": "money"}},
    "void expired holds": {"task": "payments.void_expired_holds", "schedule": 60.0, "options": {"queue": "money"}},
    "look after checkouts": {
        "task": "payments.look_after_checkouts",
        "schedule": 10.0,
        "options": {"queue": "money"},
    },
    "look after stored value": {
        "task": "payments.look_after_stored_value",
        "schedule": 10.0,
        "options": {"queue": "money"},
    },
    "run bulk jobs": {"task": "payments.run_bulk_jobs", "schedule": 5.0, "options": {"queue": "money"}},
    "send receipts": {"task": "payments.send_receipts", "schedule": 10.0, "options": {"queue": "delivery"}},
    "ask providers": {"task": "payments.sweep_providers", "schedule": 15.0, "options": {"queue": "money"}},
    "release expired authorisations": {
        "task": "payments.release_expired_authorisations",
        "schedule": 60.0,
        "options": {"queue": "money"},
    },
    "prove the books": {
        "task": "payments.prove_the_books",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"queue": "money"},
    },
    "make reports": {"task": "analytics.run_reports", "schedule": 10.0, "options": {"queue": "reports"}},
    "sweep reports": {
        "task": "analytics.sweep_reports",
        "schedule": crontab(minute="47"),
        "options": {"queue": "reports"},
    },
    "refresh members' figures": {
        "task": "members.refresh_features",
        "schedule": 15.0,
        "options": {"queue": "reports"},
    },
    "refresh all members' figures": {
        "task": "members.refresh_all_features",
        "schedule": crontab(hour="3", minute="47"),
        "options": {"queue": "reports"},
    },
    "import members": {"task": "members.run_imports", "schedule": 5.0, "options": {"queue": "reports"}},
    "purge imports of members": {
        "task": "members.purge_imports",
        "schedule": crontab(minute="37"),
        "options": {"queue": "reports"},
    },
    "send messages": {"task": "security.send_messages", "schedule": 15.0, "options": {"queue": "delivery"}},
    "expire approvals": {"task": "security.expire_approvals", "schedule": 300.0, "options": {"queue": "delivery"}},
    "carry out approvals": {
        "task": "security.carry_out_approvals",
        "schedule": 30.0,
        "options": {"queue": "money"},
    },
    "purge messages": {
        "task": "security.purge_messages",
        "schedule": crontab(hour="4", minute="41"),
        "options": {"queue": "delivery"},
    },
    "move points": {"task": "members.move_points", "schedule": 60.0, "options": {"queue": "money"}},
    "purge step-ups": {
        "task": "security.purge_step_ups",
        "schedule": crontab(minute="53"),
        "options": {"queue": "delivery"},
    },
    "purge idempotency keys": {
        "task": "kernel.purge_idempotency_keys",
        "schedule": crontab(minute="41"),
        "options": {"queue": "money"},
    },
    "purge request log": {
        "task": "kernel.purge_request_log",
        "schedule": crontab(hour="4", minute="53"),
        "options": {"queue": "money"},
    },
    "purge webhook attempts": {
        "task": "payments.purge_webhook_attempts",
        "schedule": crontab(hour="4", minute="23"),
        "options": {"queue": "delivery"},
    },
}
