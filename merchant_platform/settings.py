"""Settings, all from the environment (12-factor), with defaults that suit one machine.

`manage.py up` (behind `make run`) starts an embedded Postgres and Valkey and writes
their addresses to DATA_DIR/run.env, which is read here too: any `manage.py` command in
another shell then speaks with the running platform.
"""

import hmac
import ipaddress
import os
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()
if "DATABASE_URL" not in env.ENVIRON and os.access(DATA_DIR / "run.env", os.R_OK):
    env.read_env(DATA_DIR / "run.env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="not-a-secret: set SECRET_KEY, or start with `make run`, which makes one")
# What people are told that they signed in to.
SITE_NAME = env.str("SITE_NAME", default="Merchant platform")
if not env.str("PORT", default="8000").isdecimal():
    raise ImproperlyConfigured(f"PORT is '{env.str('PORT')}', and a port is a number from 1 to 65535.")
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or "localhost"]
)


def _derived(purpose: str) -> str:
    """A secret for one purpose that follows from SECRET_KEY."""
    return hmac.digest(SECRET_KEY.encode(), purpose.encode(), "sha256").hex()


INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "security.web.apps.AdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "merchant_platform",
    "merchant_platform.kernel",
    "security",
    "payments",
    "members",
    "analytics",
]

# --- database: one Postgres, three roles (docs/adr/0003) -----------------------------
# DATABASE_URL names the owner, who migrates; the app role serves requests and tasks
# under row-level security; the platform role runs what crosses books.
OWNER_URL = env.str("DATABASE_URL", default="postgres://merchant_owner@127.0.0.1:5432/merchant")


def _role_url(role: str) -> str:
    """The owner's address with another role, its password derived from SECRET_KEY."""
    parts = urlsplit(OWNER_URL)
    password = _derived(f"database-role:{role}")
    at = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{password}@{at}"))


APP_URL = env.str("DATABASE_APP_URL", default="") or _role_url("merchant_app")
PLATFORM_URL = env.str("DATABASE_PLATFORM_URL", default="") or _role_url("merchant_platform")


def _database(url: str) -> dict:
    return {
        **env.db_url_config(url),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # PgBouncer in transaction mode must work
        "OPTIONS": {"connect_timeout": 10},
    }


DATABASES = {"default": _database(APP_URL), "owner": _database(OWNER_URL), "platform": _database(PLATFORM_URL)}
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- web -----------------------------------------------------------------------------
ROOT_URLCONF = "merchant_platform.urls"
WSGI_APPLICATION = "merchant_platform.wsgi.application"
APPEND_SLASH = False
# Of pages: the API's answers leave below them (kernel/api/wsgi.py). Most are Django's own, made to step aside for /v1
# also where a test sends it this way; three are named as they are, since `check --deploy` looks for their names.
_OURS = "merchant_platform.kernel.web.middleware"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    f"{_OURS}.ResourcePolicy",
    f"{_OURS}.WhiteNoise",
    # Behind the static files, which everybody may keep.
    f"{_OURS}.Uncached",
    f"{_OURS}.ContentSecurityPolicy",
    f"{_OURS}.PermissionsPolicy",
    f"{_OURS}.Session",
    f"{_OURS}.Locale",
    f"{_OURS}.Common",
    "django.middleware.csrf.CsrfViewMiddleware",
    f"{_OURS}.Authentication",
    f"{_OURS}.Message",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "security.web.middleware.SecondFactor",
    "merchant_platform.docs.refusals.WrongMethods",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        # Ours first; those of allauth stand behind them.
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "merchant_platform.kernel.web.theme.theme",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "merchant_platform" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "merchant_platform.kernel.web.static.Storage"},
}
# The largest file that any page takes, kept in memory while it is judged (kernel/web/uploads.py).
UPLOAD_BYTES_MAX = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["merchant_platform.kernel.web.uploads.Bounded"]
# --- transport (docs/adr/0023) ---------------------------------------------------------
# Proxies in front of us, as networks: `127.0.0.1,10.0.0.0/8`. They alone are believed about the client's address,
# its scheme and its certificate (kernel/web/proxy.py). Without one nobody is.
try:
    TRUSTED_PROXIES = [ipaddress.ip_network(text.strip()) for text in env.list("TRUSTED_PROXIES", default=[])]
except ValueError as error:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES: {error}.") from error
# Without a trusted proxy every request looks like HTTP, and a redirect would lead to itself.
SECURE_SSL_REDIRECT = IS_HTTPS and bool(TRUSTED_PROXIES)
SECURE_SSL_HOST = urlsplit(PUBLIC_URL).netloc if IS_HTTPS else None
# Asked from inside, by who keeps us running.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
# A year, for the host and all below it; HSTS_SECONDS=0 while HTTPS is still being tried out.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("HSTS_SUBDOMAINS", default=True)
STRICT_TRANSPORT_SECURITY = f"max-age={SECURE_HSTS_SECONDS}" + (
    "; includeSubDomains; preload" if SECURE_HSTS_PRELOAD else ""
)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Everything comes from this host, nothing is inline, and no other site frames a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
# What no page asks a browser for.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        "accelerometer autoplay browsing-topics camera display-capture geolocation gyroscope hid "
        "idle-detection local-fonts magnetometer microphone midi payment screen-wake-lock serial usb"
    ).split()
}

# --- dashboard -----------------------------------------------------------------------
# What stands in the navigation, on one page.
DASHBOARD_NAVIGATION = "merchant_platform.navigation.NAVIGATION"
# Who is asked for objects that somebody looks for: callables (desk, text) -> list of Hit (security/web/search.py).
DASHBOARD_SEARCH: list[str] = [
    "payments.web.dashboard.search.find",
    "payments.web.dashboard.search_objects.find",
    "security.web.search_objects.find",
]
# Who is asked for what waits for a person: callables (desk) -> list of Attention (security/web/attention.py).
DASHBOARD_ATTENTION: list[str] = [
    "payments.web.attention.waiting",
    "security.web.approvals.attention",
]

# What of a book waits for operators: callables () -> Waiting, in its open unit of work (security/web/operators.py).
OPERATOR_WATCH: list[str] = [
    "security.web.platform.approvals_waiting",
    "payments.web.attention.parked_reports",
]
# The task that proves all books, and its queue: an operator may ask for it between the nights.
PROOF_TASK = ("payments.prove_the_books", "money")

# What looks at the books' own clocks, by queue: asked at once when a test clock was moved, and by beat anyway.
TEST_CLOCK_TASKS = {
    "members.move_points": "money",
    "payments.look_after_checkouts": "money",
    "payments.release_expired_authorisations": "money",
}

AUTH_USER_MODEL = "security.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# --- sign-in (docs/adr/0015) -----------------------------------------------------------
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_SERIALIZER = "security.authentication.sessions.Sealed"
# An e-mail address and a password, or a passkey; nobody has a user name.
ACCOUNT_ADAPTER = "security.web.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 300
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
# What an SMS costs is limited by number, by account and by where it is asked for, whatever asks
# (security/web/accounts/texting.py), and so is guessing what one said.
ACCOUNT_RATE_LIMITS = {
    "change_phone": "10/h/user",
    "verify_phone": None,
    "sms_number": "1/30s/key,5/h/key,10/d/key",
    "sms_account": "10/d/key",
    "sms_address": "20/h/ip,60/d/ip",
    "sms_try": "5/10m/key",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
ACCOUNT_FORMS = {
    "login": "security.web.accounts.phones.LoginForm",
    "request_login_code": "security.web.accounts.phones.RequestLoginCodeForm",
    "confirm_login_code": "security.web.accounts.phones.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "security.web.accounts.phones.ConfirmEmailForm",
    "confirm_password_reset_code": "security.web.accounts.phones.ConfirmPasswordResetForm",
    "verify_phone": "security.web.accounts.phones.VerifyPhoneForm",
}
MFA_ADAPTER = "security.web.accounts.adapters.SecondFactorAdapter"
# A shop signs in from one address.
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
# A passkey counts for two factors, so whoever uses one shows finger, face or PIN each time.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Who may want a factor shown again for an act that its page does not ask it for: callables
# (desk, action, binding) -> bool (security/web/step_up.py).
STEP_UP_DEMANDS: list[str] = []
# Who does what a second person allowed, by action: a Deed each (security/approvals/operations.py).
APPROVAL_DEEDS = {"payment.refund": "payments.web.dashboard.second_person.Refund"}
MFA_FORMS = {
    "activate_totp": "security.web.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "security.web.accounts.forms.AddWebAuthnForm",
    "authenticate": "security.web.accounts.forms.AuthenticateForm",
    "authenticate_webauthn": "security.web.accounts.forms.AuthenticateWebAuthnForm",
    "login_webauthn": "security.web.accounts.forms.LoginWebAuthnForm",
    "reauthenticate": "security.web.accounts.forms.ReauthenticateForm",
    "reauthenticate_webauthn": "security.web.accounts.forms.ReauthenticateWebAuthnForm",
    "signup_webauthn": "security.web.accounts.forms.SignupWebAuthnForm",
}

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "merchant_platform" / "locale"]
FORMAT_MODULE_PATH = "merchant_platform.formats"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- API -----------------------------------------------------------------------------
# One request body at the most; the parser refuses more before reading it.
API_BODY_MAX = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = API_BODY_MAX
# Requests a second a key; 0 is no limit.
API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=0)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["security.credentials.authentication.ApiKeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["security.credentials.limits.KeyRateLimit"],
    "UNAUTHENTICATED_USER": None,
}

# How often a web process writes what it noted of its requests, and for how long it is kept. 0: nobody writes it.
REQUEST_LOG_FLUSH_SECONDS = env.float("REQUEST_LOG_FLUSH_SECONDS", default=0.25)
REQUEST_LOG_DAYS = env.int("REQUEST_LOG_DAYS", default=90)

# --- work ----------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "money"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Which handlers react to which event: one page.
EVENT_REACTIONS = "merchant_platform.reactions.REACTIONS"
# Which handlers are owed an event after its commit, and in which books: the same page.
EVENT_FOLLOWERS = "merchant_platform.reactions.FOLLOWERS"
# Which types merchants are told of: the same page.
EVENT_TYPES = "merchant_platform.reactions.PUBLIC_TYPES"

# --- reports -------------------------------------------------------------------------
# Where files of reports stand until they are a week old: a folder that every host shares.
REPORTS_DIR = env.str("REPORTS_DIR", default=str(DATA_DIR / "reports"))

# --- webhooks ------------------------------------------------------------------------
# Development only: hosts (`localhost`, `127.0.0.1:4242`) that an endpoint may name though they are private.
WEBHOOK_ALLOW_HOSTS = env.list("WEBHOOK_ALLOW_HOSTS", default=[])
# Requests under way at the same time in one courier; half of them are never given to slow or failing endpoints.
WEBHOOK_THREADS = env.int("WEBHOOK_THREADS", default=32)

# --- mail ----------------------------------------------------------------------------
# Without EMAIL_URL (smtp+tls://user:password@host:587) mail is kept as files, where a person can read it.
vars().update(env.email_url("EMAIL_URL", default="filemail://"))
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="platform@localhost")

# --- messages ------------------------------------------------------------------------
# How messages to people go out: channel to class (security/messaging/channels.py).
MESSAGE_CHANNELS = {"email": "security.messaging.channels.Email", "sms": "security.messaging.channels.Sms"}
# The SMS gateway: takes {"to", "text"} as JSON with a bearer token. Without one an SMS stays in the outbox.
SMS_URL = env.str("SMS_URL", default="")
SMS_TOKEN = env.str("SMS_TOKEN", default="")
# Where a number that is written without a country belongs, and the countries that are written to; none is all.
PHONE_COUNTRY = env.str("PHONE_COUNTRY", default="CN")
SMS_COUNTRIES = env.list("SMS_COUNTRIES", default=[])
# Whether operators may read what was sent: only where nothing leaves the machine, for trying things out.
OUTBOX_SHOWS_BODIES = env.bool("OUTBOX_SHOWS_BODIES", default="EMAIL_URL" not in env.ENVIRON and not SMS_URL)

# --- wallet --------------------------------------------------------------------------
# What a consumer is shown of what they have with merchants: callables (viewer, now) -> list of Card; and of what they
# own here: callables (viewer, now) -> list of Holding (members/portal/port.py).
WALLET_CARDS: list[str] = [
    "members.directory.portal.cards",
    "members.loyalty.portal.cards",
    "members.offers.portal.cards",
    "members.portal.stored_value.cards",
]
HOLDINGS: list[str] = [
    "members.portal.holdings.wallets",
    "members.portal.stored_value.holdings",
    "members.loyalty.portal.holdings",
]
# Memberships as passes for a phone: a PEM file with the certificate and key that Apple gave for a pass type, one with
# the authority's certificate, and the two names that stand in the certificate. Without them no pass is offered.
WALLET_PASS_CERTIFICATE = env.str("WALLET_PASS_CERTIFICATE", default="")
WALLET_PASS_AUTHORITY = env.str("WALLET_PASS_AUTHORITY", default="")
WALLET_PASS_TYPE = env.str("WALLET_PASS_TYPE", default="pass.platform.membership")
WALLET_PASS_TEAM = env.str("WALLET_PASS_TEAM", default="")

# --- cards -----------------------------------------------------------------------------
# Keys that wrap the books' data keys: `id:base64 of 32 bytes`, the current one first. Without them no card opens.
VAULT_KEYS = env.str("VAULT_KEYS", default="")
# Whether card numbers of live books are kept here, which puts the whole platform under PCI DSS SAQ D.
VAULT_IN_LIVE = env.bool("VAULT_IN_LIVE", default=False)

# --- members -------------------------------------------------------------------------
# What a member's timeline is put together from: callables (member, customer_ids, before, limit) -> list of Happening.
MEMBER_TIMELINE: list[str] = [
    "members.directory.timeline.payments",
    "members.directory.timeline.refunds",
    "members.directory.timeline.consents",
    "members.directory.timeline.corrections",
    "members.directory.timeline.membership",
]
# What other rooms show of a member on its page: callables (member, now) -> Panel or None.
MEMBER_PANELS: list[str] = ["members.loyalty.panels.panel"]
# Who moves something when two members turn out to be one (members/directory/ports.py), in this order.
MEMBER_MERGE: list[str] = ["members.features.operations.merge", "members.loyalty.merging.merge"]

# --- money ---------------------------------------------------------------------------
# The fee a merchant pays by payment method where its book has no plan of its own, in
# parts per million of the amount, rounded half-even: 3,800 is 0.38 %.
DEFAULT_FEE_RATES_PPM = {"wallet": 3_800, "card": 6_000}
# Above this, in minor units by currency, a refund by staff asks once more for a factor (also several at once, in
# all); in a currency that is not named here every refund does.
REFUND_STEP_UP_ABOVE = {"CNY": 100_000, "EUR": 15_000, "GBP": 12_000, "HKD": 110_000, "JPY": 20_000, "USD": 15_000}
# What a consumer may put into a wallet at once, in minor units by currency (from, up to). A currency that is not named
# here cannot be topped up.
TOP_UP_LIMITS = {
    "CNY": (100, 500_000),
    "EUR": (100, 50_000),
    "GBP": (100, 50_000),
    "HKD": (1_000, 500_000),
    "USD": (100, 50_000),
}
# And how often in an hour: who tries card after card is stopped by it.
TOP_UPS_AN_HOUR_MAX = 10
# What payment codes of one wallet pay in a day over all merchants, in minor units by currency: after a sign-in with
# one factor, and with two (classes C and B of the barcode rules, 银发〔2017〕296号). Others pay in other ways.
PAYMENT_CODE_LIMITS = {
    "CNY": (100_000, 500_000),
    "EUR": (10_000, 50_000),
    "HKD": (100_000, 500_000),
    "USD": (10_000, 50_000),
}
# What the proof of the books proves of rooms above payments: names of tuples of checks (payments/proof.py).
PROOF_CHECKS: list[str] = ["members.loyalty.reconcile.CHECKS"]
# Payment methods: name to the class that implements payments.methods.port.PaymentMethod.
PAYMENT_METHODS = {"wallet": "payments.methods.wallet.WalletMethod"}
# Who prices the cart of a checkout, and who invites its payer to join (payments/checkout/ports.py); "": nobody.
CHECKOUT_DISCOUNTS = "members.offers.checkout.Offers"
CHECKOUT_INVITATIONS = "members.directory.checkout.Enrolment"
# Tenders: ways to pay a part of an order from value in the ledger, in the order in which they are taken
# (payments/tenders/port.py). Refunds run the other way round.
CHECKOUT_TENDERS = {
    "points": "members.loyalty.tender.Points",
    "stored_value": "payments.stored_value.tender.StoredValue",
    "wallet": "payments.intents.wallet_tender.WalletTender",
}
# What numbers and PINs of stored-value cards are recognised by; with another one no card in circulation opens.
STORED_VALUE_SECRET = env.str("STORED_VALUE_SECRET", default=_derived("stored-value"))
# Outside providers: name to class (payments/providers/port.py).
PAYMENT_PROVIDERS: dict[str, str] = {"sandbox": "payments.providers.sandbox.client.Sandbox"}
# Who is asked for a card payment, by a book's mode: a name in PAYMENT_PROVIDERS. A mode without one refuses cards.
CARD_PROVIDERS = {"test": "sandbox"}
# The sandbox acquirer, a process of its own: where it is, the secret that signs both ways,
# and how long a question waits for its answer.
SANDBOX_ACQUIRER_URL = env.str("SANDBOX_ACQUIRER_URL", default="http://127.0.0.1:8090").rstrip("/")
SANDBOX_ACQUIRER_SECRET = env.str("SANDBOX_ACQUIRER_SECRET", default=_derived("sandbox-acquirer"))
SANDBOX_ACQUIRER_TIMEOUT_SECONDS = env.float("SANDBOX_ACQUIRER_TIMEOUT_SECONDS", default=8.0)

# --- analytics -----------------------------------------------------------------------
# Sales by columns, a folder a book, for reports; and the address of a Dask scheduler whose workers see the same folder
# (`tls://analytics:8786`). Without one, reports are computed where they are asked for.
DATASETS_DIR = Path(env.str("DATASETS_DIR", default=str(DATA_DIR / "datasets"))).absolute()
DASK_SCHEDULER = env.str("DASK_SCHEDULER", default="")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # They would write a line a request to a provider, with its address, and many a font.
    "loggers": {"httpx": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}, "fpdf": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
