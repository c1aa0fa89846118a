"""Every table and its kind, on one page. A test compares it with the database.

*tenant*: `book_id`, row-level security. *platform*: needed before a book is known, or
shared by books; no policy, no DELETE for the app role, reached only through its room.
*framework*: Django's own.
"""

from merchant_platform.kernel import privacy

TENANT = frozenset(
    {
        "analytics_attemptday",
        "analytics_attemptquarter",
        "analytics_buyercount",
        "analytics_buyerday",
        "analytics_dataset",
        "analytics_dataseterasure",
        "analytics_datasetfile",
        "analytics_dirtyquarter",
        "analytics_guidedismissal",
        "analytics_movedday",
        "analytics_paidhours",
        "analytics_soldhours",
        "analytics_paymentday",
        "analytics_paymentquarter",
        "analytics_projection",
        "analytics_report",
        "analytics_reportschedule",
        "analytics_salesday",
        "analytics_salesquarter",
        "analytics_soldline",
        "kernel_decision",
        "kernel_delivery",
        "kernel_event",
        "kernel_idempotencykey",
        "kernel_loggedrequest",
        "members_accrual",
        "members_contact",
        "members_correction",
        "members_discountshare",
        "members_duplicate",
        "members_features",
        "members_household",
        "members_lot",
        "members_lotmove",
        "members_importrow",
        "members_member",
        "members_memberimport",
        "members_membertag",
        "members_merge",
        "members_programme",
        "members_programmeterms",
        "members_offerredemption",
        "members_reward",
        "members_run",
        "members_standing",
        "members_offer",
        "members_offerbonus",
        "members_offerversion",
        "members_promotioncode",
        "members_redemption",
        "members_tag",
        "payments_attempt",
        "payments_bulkitem",
        "payments_bulkjob",
        "payments_checkoutsession",
        "payments_checkpoint",
        "payments_customer",
        "payments_entry",
        "payments_formernote",
        "payments_hold",
        "payments_holdoutcome",
        "payments_mandate",
        "payments_metadataterm",
        "payments_note",
        "payments_notice",
        "payments_order",
        "payments_orderline",
        "payments_parkedreport",
        "payments_paymentintent",
        "payments_paymentmethod",
        "payments_price",
        "payments_product",
        "payments_receipt",
        "payments_receiptcounter",
        "payments_refund",
        "payments_refundline",
        "payments_savedview",
        "payments_setupintent",
        "payments_storedvaluecard",
        "payments_storedvalueload",
        "payments_tender",
        "payments_tenderrefund",
        "payments_topup",
        "payments_transfer",
        "payments_webhookattempt",
        "payments_webhookdelivery",
        "payments_webhookendpoint",
        "security_approval",
        "security_cardtoken",
        "security_consent",
        "security_datakey",
    }
)
PLATFORM = frozenset(
    {
        "members_featurescursor",
        "analytics_position",
        "payments_account",
        "payments_accountbalance",
        "payments_cluster",
        "payments_consumer",
        "payments_paymentcode",
        "payments_wallet",
        "payments_webhookcursor",
        "security_apikey",
        "security_auditchain",
        "security_auditlink",
        "security_auditrecord",
        "security_book",
        "security_credentialsversion",
        "security_device",
        "security_flag",
        "security_invitation",
        "security_merchant",
        "security_message",
        "security_phone",
        "security_publiccode",
        "security_staff",
        "security_staff_stores",
        "security_stepup",
        "security_suppression",
        "security_store",
        "security_user",
    }
)
FRAMEWORK = frozenset(
    {
        "account_emailaddress",
        "account_emailconfirmation",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_admin_log",
        "django_content_type",
        "django_migrations",
        "django_session",
        "mfa_authenticator",
        "usersessions_usersession",
    }
)
# Facts: the app and platform roles may insert and read, never change.
APPEND_ONLY = frozenset(
    {
        "kernel_decision",
        "kernel_event",
        "members_lotmove",
        "members_programmeterms",
        "members_offerversion",
        "payments_account",
        "payments_entry",
        "payments_formernote",
        "payments_hold",
        "payments_holdoutcome",
        "payments_transfer",
        "security_auditrecord",
    }
)

# Tables that the app role only reads: what stands there is computed for it.
APP_READS = frozenset(
    {
        "analytics_position",
        "django_migrations",
        "members_featurescursor",
        "payments_checkpoint",
        "payments_cluster",
        "payments_webhookcursor",
    }
)
# And those that only the owner writes. The audit's chain grows by a trigger of the owner.
OWNER_WRITES = frozenset({"django_migrations", "payments_cluster", "security_auditchain", "security_auditlink"})


def classify_framework() -> None:
    """Give the framework's own models their privacy classes."""
    classes = privacy.classes
    privacy.register("auth.Permission", classes(opaque="id name content_type codename"))
    privacy.register("auth.Group_permissions", classes(opaque="id group permission"))
    privacy.register("auth.Group", classes(opaque="id name"))
    privacy.register("contenttypes.ContentType", classes(opaque="id app_label model"))
    privacy.register(
        "admin.LogEntry",
        classes(opaque="id action_time user content_type object_id action_flag", business="object_repr change_message"),
    )
    privacy.register("account.EmailAddress", classes(opaque="id user verified primary", personal="email"))
    privacy.register("account.EmailConfirmation", classes(opaque="id email_address created sent", secret="key"))
    privacy.register("mfa.Authenticator", classes(opaque="id user type created_at last_used_at", secret="data"))
    privacy.register(
        "usersessions.UserSession",
        classes(opaque="id user created_at last_seen_at data", personal="ip user_agent", secret="session_key"),
    )
    privacy.register("sessions.Session", classes(opaque="expire_date", secret="session_key session_data"))
    privacy.register("security.Staff_stores", classes(opaque="id staff store"))
