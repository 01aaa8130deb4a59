"""What every environment shares. Values that differ by place come from environment variables.

``development``, ``testing`` and ``production`` import this module and add their own. Engines
(database, cache, sockets, queue) are in ``engines``, the API's settings in ``rest``, the work that
the scheduler does in ``schedules``, who does it in ``queues``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from corsheaders.defaults import default_headers
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from bcc.core import logs
from bcc.settings.backoffice import *
from bcc.settings.engines import COUNTERS
from bcc.settings.files import *
from bcc.settings.queues import *
from bcc.settings.rest import *
from bcc.settings.schedules import *

# ForeignKey[...], QuerySet[...] and ModelAdmin[...] at run time, as the type checker reads them.
django_stubs_ext.monkeypatch()

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
DEBUG = False
DEMO_MODE = False
ALLOWED_HOSTS: list[str] = []

# ------------------------------------------------------------------------------------------- the club

CLUB_NAME = env.str("CLUB_NAME", "Country Club")
CLUB_CURRENCY = env.str("CLUB_CURRENCY", "PHP")
CLUB_TIME_ZONE = env.str("CLUB_TIME_ZONE", "Asia/Manila")
CLUB_WEEK_START = env.int("CLUB_WEEK_START", 0)  # 0 is Monday
CLUB_COLOUR = env.str("CLUB_COLOUR", "#1f5c3f")
CLUB_EMAIL = env.str("CLUB_EMAIL", "club@example.com")
CLUB_PHONE_REGION = env.str("CLUB_PHONE_REGION", "PH")
# Two TrueType files, plain and bold, for names that the built-in font of statements has no letters for.
STATEMENT_FONTS = env.list("STATEMENT_FONTS", default=[])
PHONENUMBER_DEFAULT_REGION = CLUB_PHONE_REGION
PHONENUMBER_DB_FORMAT = "E164"

# How the club writes the numbers of members that it gives itself: M00001, and M00001A for the first other
# person of the household. Numbers in a file of accounts or of Finance's are taken as they are.
CLUB_MEMBER_PREFIX = env.str("CLUB_MEMBER_PREFIX", "M")
CLUB_MEMBER_WIDTH = env.int("CLUB_MEMBER_WIDTH", 5)
CLUB_MEMBER_SUFFIXES = env.str("CLUB_MEMBER_SUFFIXES", "ABCDEFGHJKLMNPQRSTUVWXYZ")
# Where a slip sends a new member; the app answers to the same link.
ACTIVATION_LINK = env.str("ACTIVATION_LINK", "")

MINIMUM_APP_VERSION = env.str("MINIMUM_APP_VERSION", "1.0.0")
PUBLIC_URL = env.str("PUBLIC_URL", "http://localhost:8000")

# ------------------------------------------------------------------------------------------------ apps

INSTALLED_APPS = [
    # The composition root first: its templates and commands come before anyone's.
    "bcc",
    "bcc.core",
    "accounts",
    "documents",
    "facilities",
    "chat",
    "reservations",
    "metrics",
    "bcc.core.site.BackofficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "channels",
    "corsheaders",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_celery_beat",
    "django_prometheus",
    "auditlog",
    "phonenumber_field",
]

MIDDLEWARE = [
    # Stands in for all that follow where a plain hot read is asked for. It knows this list: see there.
    "bcc.frame.FrameMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "bcc.core.rest.middleware.RequestIdMiddleware",
    "bcc.core.middleware.RequestLogMiddleware",
    "bcc.core.rest.middleware.ApiHygieneMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "bcc.core.middleware.OncePolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "bcc.maintenance.ApiDoorMiddleware",
    # The browser's own, for the admin: they step aside on BROWSERLESS_PATHS.
    "bcc.core.middleware.BrowserSessionMiddleware",
    "bcc.core.middleware.BrowserCsrfMiddleware",
    "bcc.core.middleware.BrowserAuthenticationMiddleware",
    "bcc.core.middleware.BrowserOTPMiddleware",
    "bcc.core.middleware.BrowserMessageMiddleware",
    "bcc.core.middleware.BrowserAuditlogMiddleware",
    "bcc.core.middleware.MetricsMiddleware",
]
# Identity there is the bearer token: no session is read, no cookie is set, no row is touched.
BROWSERLESS_PATHS = ("/api/", "/ws/", "/health/", "/metrics", "/static/")

SILENCED_SYSTEM_CHECKS = [
    # The check knows only Django's own CSRF middleware by name; ours is a subclass of it.
    "security.W003",
]

ROOT_URLCONF = "bcc.urls"
WSGI_APPLICATION = "bcc.wsgi.application"
ASGI_APPLICATION = "bcc.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --------------------------------------------------------------------------------- language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "bcc.core.formats"
# The club's zone, so that the admin shows local time; the database's own stays UTC.
TIME_ZONE = CLUB_TIME_ZONE
FIRST_DAY_OF_WEEK = (CLUB_WEEK_START + 1) % 7  # Django counts from Sunday

# --------------------------------------------------------------------------------- people and trust

AUTH_USER_MODEL = "accounts.User"
# Passwords as NIST 800-63B-4 asks: length and a blocklist, no rules of composition.
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "accounts.policies.blocklist.BlocklistValidator", "OPTIONS": {"words": (CLUB_NAME,)}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name", "email")},
    },
]
PASSWORD_HASHERS = ["accounts.policies.hashers.ClubArgon2PasswordHasher"]
# How a text leaves the house, by channel; a channel without a sender is not used.
NOTIFICATION_SENDERS = {"email": "accounts.senders.EmailSender"}

# Text messages: the request of one message to the gateway. $to, $text and $from are filled in.
SMS_URL = env.str("SMS_URL", "")
SMS_METHOD = env.str("SMS_METHOD", "POST")
SMS_CONTENT_TYPE = env.str("SMS_CONTENT_TYPE", "application/json")
SMS_HEADERS = env.json("SMS_HEADERS", {})
SMS_BODY = env.str("SMS_BODY", '{"to": "$to", "from": "$from", "text": "$text"}')
SMS_FROM = env.str("SMS_FROM", CLUB_NAME[:11])
# Where in the gateway's reply its own number of the message stands, by dots: "data.0.id".
SMS_REFERENCE = env.str("SMS_REFERENCE", "")
SMS_TIMEOUT = env.float("SMS_TIMEOUT", 10.0)
SMS_COUNTRIES = env.list("SMS_COUNTRIES", default=["+63"])
# Budgets of a day, in messages; 0 is none.
SMS_A_DAY_PER_NUMBER = env.int("SMS_A_DAY_PER_NUMBER", 10)
SMS_A_DAY_PER_ADDRESS = env.int("SMS_A_DAY_PER_ADDRESS", 60)
SMS_A_DAY = env.int("SMS_A_DAY", 2000)
SMS_COST_PER_PART = env.str("SMS_COST_PER_PART", "0.50")
if SMS_URL:
    NOTIFICATION_SENDERS["sms"] = "accounts.senders.HttpSmsSender"

# Pushes to telephones: the service account's file of Firebase, and the extra `push`.
FCM_CREDENTIALS_FILE = env.str("FCM_CREDENTIALS_FILE", "")
FCM_URL = env.str("FCM_URL", "https://fcm.googleapis.com")
if FCM_CREDENTIALS_FILE:
    NOTIFICATION_SENDERS["push"] = "accounts.senders.push.FcmSender"
# One-time codes go by the first of these that has a sender and that reaches the person; `push` reaches
# who has another device that was trusted before.
OTP_CHANNELS = env.list("OTP_CHANNELS", default=["sms", "email"])
if set(OTP_CHANNELS) - {"push", "sms", "email"} or not OTP_CHANNELS:
    raise ImproperlyConfigured(f"OTP_CHANNELS is a list of push, sms and email, not {OTP_CHANNELS}.")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
OTP_TOTP_ISSUER = CLUB_NAME
# The secrets of second factors are shown to nobody in the back office.
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
# Staff show a code from an app before the back office opens. Off in demo mode only.
STAFF_SECOND_FACTOR = True

# What `rotate_keys` writes; until then JWT_KEY signs alone. Shared by every process that checks tokens.
JWT_KEYS_FILE = Path(env.str("JWT_KEYS_FILE", str(DATA_DIR / "jwt-keys.json")))
# `doctor` asks for a rotation when the key that signs is older; 0: it does not ask.
JWT_KEY_MAX_AGE_DAYS = env.int("JWT_KEY_MAX_AGE_DAYS", 180)

# How many proxies of ours stand before the server: the client's address is taken that many steps
# from the right of X-Forwarded-For, and from the connection where there are none.
TRUSTED_PROXY_HOPS = env.int("TRUSTED_PROXY_HOPS", 0)
# Who may read /metrics: addresses or networks.
METRICS_ALLOWED_FROM = env.list("METRICS_ALLOWED_FROM", default=["127.0.0.0/8", "::1/128"])

# Days after which `apply_retention` deletes what is told of people; 0 keeps it. docs/privacy.md says why so.
RETENTION_DAYS = {
    "notifications": env.int("RETENTION_NOTIFICATIONS", 400),
    "imports": env.int("RETENTION_IMPORTS", 90),
    "record_reads": env.int("RETENTION_RECORD_READS", 730),
    "member_views": env.int("RETENTION_MEMBER_VIEWS", 730),
    "sms_counts": env.int("RETENTION_SMS_COUNTS", 40),
    "deletion_requests": env.int("RETENTION_DELETION_REQUESTS", 1095),
    "audit": env.int("RETENTION_AUDIT", 1825),
}

# name → how many in which time, per key; the throttles give the keys.
RATE_LIMITS = {
    "login_identifier": env.str("RATE_LOGIN_IDENTIFIER", "10/15m"),
    "login_everywhere": env.str("RATE_LOGIN_EVERYWHERE", "100/15m"),
    "login_address": env.str("RATE_LOGIN_ADDRESS", "60/15m"),
    "login_everybody": env.str("RATE_LOGIN_EVERYBODY", "1200/m"),
    "otp_request": env.str("RATE_OTP_REQUEST", "5/15m"),
    "otp_everywhere": env.str("RATE_OTP_EVERYWHERE", "20/h"),
    "otp_address": env.str("RATE_OTP_ADDRESS", "60/15m"),
    "step_up": env.str("RATE_STEP_UP", "10/15m"),
    "otp_verify": env.str("RATE_OTP_VERIFY", "20/15m"),
    "password_change": env.str("RATE_PASSWORD_CHANGE", "10/15m"),
    "token_refresh": env.str("RATE_TOKEN_REFRESH", "60/10m"),
    "booking": env.str("RATE_BOOKING", "60/m"),
    "socket_ticket": env.str("RATE_SOCKET_TICKET", "30/m"),
    "image_upload": env.str("RATE_IMAGE_UPLOAD", "60/h"),
    "image_reads": env.str("RATE_IMAGE_READS", "3000/m"),
    "chat": env.str("RATE_CHAT", "120/m"),
    "reads": env.str("RATE_READS", "600/m"),
    "anonymous": env.str("RATE_ANONYMOUS", "120/m"),
}

# django-ratelimit's counters: a cache of their own class, which counts in one command.
RATELIMIT_USE_CACHE = COUNTERS

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # a shift at the desk
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# The native apps send no Origin; a browser client of the club's is named here.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "x-app-version",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    },
}

# A JSON body over 256 kB is a 413 in the parser, before it is read.
API_BODY_LIMIT = 256 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
# A month of statements, each a file of its own, chosen at once.
DATA_UPLOAD_MAX_NUMBER_FILES = 5_000

# ------------------------------------------------------------------------------------- static and mail

STATIC_URL = "/static/"
STATIC_ROOT: Path | None = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STORAGES: dict[str, dict[str, Any]] = {
    "default": file_storage(env, DATA_DIR),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The proxy sends the bytes of files itself (X-Accel-Redirect), and checks links of up to a minute alone
# with a key that only it and we know: see docs/files.md. Empty: every link is checked here.
# What decodes JPEGs: "pillow", or "vips" where the extra of that name is installed.
IMAGE_ENGINE = env.str("IMAGE_ENGINE", "pillow")
FILES_BY_PROXY = env.bool("FILES_BY_PROXY", False)
FILES_LINK_KEY = env.str("FILES_LINK_KEY", "")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"{CLUB_NAME} <{CLUB_EMAIL}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Seconds for each step with the mail server: without it one that hangs keeps a worker for good.
EMAIL_TIMEOUT = 10

# Where Finance's system puts files, looked at each minute; empty: there is no such folder.
FINANCE_DROP_FOLDER = env.str("FINANCE_DROP_FOLDER", "")
# The largest delivery of Finance's, all its files together, in bytes.
FINANCE_UPLOAD_LIMIT = env.int("FINANCE_UPLOAD_LIMIT", 1024 * 1024 * 1024)

# ----------------------------------------------------------------------------------------------- queue

CELERY_BROKER_URL = ""  # engines say which; queues and routes are in ``queues``
CELERY_TASK_IGNORE_RESULT = True
# A killed worker's task is given to another, so every task must stand being run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# An outage of an hour is no reason to give up: a worker that ends waits for somebody to notice.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
DJANGO_CELERY_BEAT_TZ_AWARE = True

# Hints to sockets and workers leave by a thread of the process, off the request that caused them.
NUDGES_IN_BACKGROUND = True

# ---------------------------------------------------------------------------------------------- sockets

# What a socket may send: so many frames a second for long, and so many at once.
SOCKET_FRAMES_PER_SECOND = env.int("SOCKET_FRAMES_PER_SECOND", 10)
SOCKET_FRAMES_AT_ONCE = env.int("SOCKET_FRAMES_AT_ONCE", 60)
# By which Redis processes tell each other of the chat; engines say which. Empty: there is one process.
CHAT_REDIS_URL = ""
# Of one sender in the chat, over all of their sockets in a process.
CHAT_MESSAGES_PER_SECOND = env.int("CHAT_MESSAGES_PER_SECOND", 3)
CHAT_MESSAGES_AT_ONCE = env.int("CHAT_MESSAGES_AT_ONCE", 30)

# ---------------------------------------------------------------------------------------------- metrics

PROMETHEUS_EXPORT_MIGRATIONS = False
# How long an activity waits in memory before a thread of the process writes it; 0: nobody writes.
ACTIVITY_FLUSH_SECONDS = env.int("ACTIVITY_FLUSH_SECONDS", 10)

# ---------------------------------------------------------------------------------------------- backups

# `doctor` complains when the newest archive in the data folder is older; 0: it does not ask.
BACKUP_MAX_AGE_HOURS = env.int("BACKUP_MAX_AGE_HOURS", 36)

# ------------------------------------------------------------------------------------------------ logs

LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
LOGGING = logs.logging_config(level=LOG_LEVEL, as_json=True)
