"""The tests: a file as database, or the server that DATABASE_URL names; tasks at once, quick hashes."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bcc.core import logs
from bcc.settings import engines
from bcc.settings.base import *


def _scratch_folder() -> Path:
    """A folder that the test run makes, its workers share, and the run removes."""
    given = os.environ.get("BCC_TEST_DIR")
    if given:
        return Path(given)
    if "mypy" in sys.modules:
        # The type checker's plugin reads the settings, writes nothing, and leaves without exit handlers.
        return Path(tempfile.gettempdir()) / "bcc-tests-none"
    folder = Path(tempfile.mkdtemp(prefix="bcc-tests-"))
    os.environ["BCC_TEST_DIR"] = str(folder)
    maker = os.getpid()

    def remove() -> None:
        if os.getpid() == maker:  # forked children run the same exit handlers
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


DATA_DIR = _scratch_folder()
JWT_KEYS_FILE = DATA_DIR / "jwt-keys.json"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DEMO_MODE = False

SECRET_KEY = "testing-secret-key-that-signs-nothing-outside-of-the-tests"  # noqa: S105 - guards nothing
JWT_KEY = "testing-jwt-key-that-signs-nothing-outside-of-the-tests"
OTP_KEY = "testing-otp-key-that-signs-nothing-outside-of-the-tests"

if url := env.str("DATABASE_URL", ""):
    # The tests make a database of their own on that server, one for each worker, and drop it.
    DATABASES = {"default": engines.database(url)}
else:
    # A file: in memory WAL is off, and threads get "table is locked".
    DATABASES = {"default": engines.sqlite(DATA_DIR / "unused.sqlite3", synchronous="OFF")}
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
globals().update(engines.embedded_services())

CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["default"] = {
    "BACKEND": "documents.storage.DurableFileSystemStorage",
    "OPTIONS": {"location": str(DATA_DIR / "files")},
}
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

# High enough never to be met; the tests of the limits set their own.
RATE_LIMITS = dict.fromkeys(RATE_LIMITS, "100000/m")

# The tests of the back office sign in by the session; those of the second factor ask for it.
STAFF_SECOND_FACTOR = False

# No thread beside the tests; those of the activities write them themselves.
ACTIVITY_FLUSH_SECONDS = 0

NUDGES_IN_BACKGROUND = False

BACKUP_MAX_AGE_HOURS = 0

LOGGING = logs.logging_config(level="WARNING", as_json=True)
