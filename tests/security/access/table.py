"""The table of doors: what each asks of who comes. A page of the dashboard needs no line here.

`@desk_page("payment.view")` says who may see the page, and security/access/roles.py who that
is; `@operator_page("flag.manage")` and the endpoints of the API say it likewise. What they
cannot say stands here: doors that are no such pages, and forms that ask for more than it
takes to see them.
"""

# Forms that ask for more than their page: the name of the page to the action.
POST_ASKS: dict[str, str] = {
    "member_points": "points.adjust",
    "settings": "merchant.edit",
}
# Whose object it is alone may change it, whatever the role: the name of the page to what others are told.
OWN_ALONE: dict[str, int] = {
    "view_remove": 404,
    "view_back": 404,
    "report": 404,
    "report_act": 404,
    "report_file": 404,
    "note": 403,
}
# What an address calls an object to its model, where the name is not the model's own.
OBJECTS: dict[str, str] = {
    "card": "payments.StoredValueCard",
    "code": "security.PublicCode",
    "delivery": "payments.WebhookDelivery",
    "job": "payments.BulkJob",
    "key": "security.ApiKey",
    "method": "payments.PaymentMethod",
    "payment": "payments.PaymentIntent",
    "promotion": "members.PromotionCode",
    "request_id": "kernel.LoggedRequest",
    "schedule": "analytics.ReportSchedule",
    "sheet": "members.MemberImport",
    "view": "payments.SavedView",
    "webhook": "payments.WebhookEndpoint",
}

# And what is no object but a word: one that the door knows, whichever it is or of one name alone.
WORDS: dict[str, str] = {"chart": "volume", "kind": "percent", "sales_numbers chart": "summary"}
# What a door has to be sent to get as far as looking for its object; `<event>` is the id of one.
TOKEN = {"token": "0f9a6a3c-8f34-4f5e-9d5b-6a4f4f1f8f11"}
SENT: dict[str, dict[str, str]] = {
    "cancel": TOKEN,
    "capture": TOKEN,
    "note": {"body": "Paid in cash."},
    "note_add": TOKEN,
    "offer_act": {"act": "pause"},
    "order_refund_confirm": TOKEN,
    "payments_new": {"since": "<payment>"},
    "price_change": {"act": "archive"},
    "refund_confirm": TOKEN,
    "report_act": {"act": "cancel"},
    "report_schedule_act": {"act": "pause"},
    "test_clock": {"act": "start"},
    "view_save": {"page": "payments"},
    "webhook_resend": {"event": "<event>"},
}

# --- doors that are no pages of the dashboard ---------------------------------------------
# Anybody may come in, and nobody sees more than others.
OPEN = "anybody"
# What is behind it is found by a secret in the address alone: a guess finds nothing, whoever guesses.
SECRET = "whoever has the secret"
# The same, but whoever signed in shows their second factor first.
STRONG_SECRET = "whoever has the secret, with their second factor"
# What a person keeps of their own login: signed out leads to signing in.
OWN = "whoever signed in"
# A step of signing in: it opens for who is in the middle of that, and leads everybody else elsewhere.
STEP = "whoever is signing in"
# A consumer at their own wallet; whoever is at work is led to the page that changes sides.
WALLET = "a consumer"
# Operators, with a second factor.
OPERATORS = "operators"
# Signing out on one side and in on the other; tests/members/web/test_wallet.py says how.
SIDES = "whoever changes sides"
# The API's own doors have a matrix of their own.
API = "keys"

PREFIXES: dict[str, str] = {"admin/": OPERATORS, "v1/": API, "^v1": API}
OTHERS: dict[str, str] = {
    "": OPEN,
    "docs": OPEN,
    "docs/api": OPEN,
    "docs/api/<slug:name>": OPEN,
    "docs/errors": OPEN,
    "docs/errors/<code>": OPEN,
    "healthz": OPEN,
    "readyz": OPEN,
    "language": OPEN,
    "theme": OPEN,
    "wallet": OPEN,
    "wallet/front": STEP,
    "wallet/manifest.webmanifest": OPEN,
    "wallet/offline": OPEN,
    "wallet/open": OWN,
    "wallet/test/front": STEP,
    "wallet/test/manifest.webmanifest": OPEN,
    "wallet/test/offline": OPEN,
    "wallet/test/open": OWN,
    "wallet/test/worker.js": OPEN,
    "wallet/worker.js": OPEN,
    "dashboard": OWN,
    "hooks/<slug:provider>/<slug:account>": SECRET,
    "invitations/<str:secret>": SECRET,
    "pay/<code>": SECRET,
    "join/<code>": SECRET,
    "join/<code>/welcome": SECRET,
    "pay/<code>/card": SECRET,
    "pay/<code>/code": SECRET,
    "pay/<code>/return": SECRET,
    "pay/<code>/sign-in": SECRET,
    "pay/<code>/sign-out": SECRET,
    "pay/<code>/stage": SECRET,
    "pay/<code>/stored-value": SECRET,
    "pay/<code>/tender": SECRET,
    "pay/<code>/tenders": SECRET,
    "pay/<code>/wallet": SECRET,
    "pictures/<str:digest>.png": SECRET,
    "r/<code>": SECRET,
    "reports/<token>": STRONG_SECRET,
    "sandbox/challenge/<str:token>": SECRET,
    "accounts/2fa/": OWN,
    "accounts/2fa/authenticate/": STEP,
    "accounts/2fa/reauthenticate/": OWN,
    "accounts/2fa/recovery-codes/": OWN,
    "accounts/2fa/recovery-codes/download/": OWN,
    "accounts/2fa/recovery-codes/generate/": OWN,
    "accounts/2fa/totp/activate/": OWN,
    "accounts/2fa/totp/deactivate/": OWN,
    "accounts/2fa/webauthn/": OWN,
    "accounts/2fa/webauthn/add/": OWN,
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": OWN,
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": OWN,
    "accounts/2fa/webauthn/login/": STEP,
    "accounts/2fa/webauthn/reauthenticate/": OWN,
    "accounts/2fa/webauthn/signup/": STEP,
    "accounts/confirm-email/": STEP,
    "accounts/confirm/<str:demand>/": OWN,
    "accounts/email/": OWN,
    "accounts/enrol/": OWN,
    "accounts/inactive/": OPEN,
    "accounts/login/": STEP,
    "accounts/login/code/": STEP,
    "accounts/login/code/confirm/": STEP,
    "accounts/logout/": STEP,
    "accounts/password/change/": OWN,
    "accounts/password/reset/": STEP,
    "accounts/password/reset/complete/": STEP,
    "accounts/password/reset/confirm/": STEP,
    "accounts/password/reset/done/": OPEN,
    "accounts/password/set/": OWN,
    "accounts/phone/change/": OWN,
    "accounts/phone/remove/": OWN,
    "accounts/phone/verify/": STEP,
    "accounts/reauthenticate/": OWN,
    "accounts/sessions/": OWN,
    "accounts/sessions/<int:session>/end/": OWN,
    "accounts/side/": SIDES,
    "accounts/signup/": STEP,
    "accounts/signup/passkey/": STEP,
}

# Forms that another site may send: what is in them is signed, or there is no session that they would act for.
SIGNED_OTHERWISE = frozenset({"hook", "sandbox_challenge"})

# --- the API ------------------------------------------------------------------------------
# Ids that no plain list of the API shows: where the address begins, and whose object's they are.
API_IDS: dict[str, str] = {"payment_methods": "<method>", "redemptions": "<redemption>", "wallets": "<wallet>"}
# What a method has to be sent to get as far as looking for its object; `<event>` is one of the key's own.
API_SENT: dict[str, dict[str, str]] = {
    "charges/search": {"query": 'status:"succeeded"'},
    "customers/search": {"query": 'email:"lin.mei@example.com"'},
    "payment_intents/search": {"query": 'status:"succeeded"'},
    "metrics/query": {"metric": "net_sales"},
    "points/balance": {"member": "<member>"},
    "points/transactions": {"member": "<member>"},
    "redemptions": {"member": "<member>"},
    "tiers/standing": {"member": "<member>"},
    "members/{id}/merge": {"into": "<member>"},
    "payment_methods/{id}/attach": {"customer": "<customer>"},
    "rewards/{id}/redeem": {"member": "<member>"},
    "stored_value_cards/{id}/reload": {"amount": "100"},
    "test_helpers/wallets": {"balance": "1", "currency": "cny", "customer": "<customer>"},
    "webhook_endpoints/{id}/backfill": {"created[gte]": "0", "created[lt]": "1"},
    "webhook_endpoints/{id}/resend": {"event": "<event>"},
}
# What exists in test books alone: a live key is told so.
API_TEST_ONLY: frozenset[str] = frozenset({"test_helpers/wallets", "wallets/{id}", "wallets/{id}/transactions"})
# What a key must be allowed beside a resource, since its objects show it: the report of the small world is of sales.
API_BESIDE = {"reports": {"metrics": "read"}}
