"""A machine of one's own: everything in one process and one folder, nothing to set up."""

from __future__ import annotations

from bcc.core import logs
from bcc.settings import engines, keys
from bcc.settings.base import *

DEBUG = env.bool("DEBUG", False)
DEMO_MODE = env.bool("DEMO_MODE", True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

_keys = keys.local_keys(DATA_DIR)
SECRET_KEY = env.str("SECRET_KEY", _keys["SECRET_KEY"])
JWT_KEY = env.str("JWT_KEY", _keys["JWT_KEY"])
OTP_KEY = env.str("OTP_KEY", _keys["OTP_KEY"])

DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
DATABASES = {
    "default": engines.database(DATABASE_URL) if DATABASE_URL else engines.sqlite(DATA_DIR / "bcc.sqlite3")
}
globals().update(engines.redis_services(REDIS_URL) if REDIS_URL else engines.embedded_services())

# Mail is written to the terminal, beside the one-time codes of the demo.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))

# Demo members have no telephone and no mailbox: what they are sent, codes too, is written to the
# terminal and to outbox.txt in the data folder.
if DEMO_MODE:
    NOTIFICATION_SENDERS = dict.fromkeys(("email", "sms"), "accounts.senders.ConsoleSender")

STAFF_SECOND_FACTOR = not DEMO_MODE

# No collectstatic: files are served from where the apps keep them.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# A demo club is loaded anew rather than restored.
BACKUP_MAX_AGE_HOURS = env.int("BACKUP_MAX_AGE_HOURS", 0)

LOGGING = logs.logging_config(level=LOG_LEVEL, as_json=env.bool("LOG_JSON", False))
