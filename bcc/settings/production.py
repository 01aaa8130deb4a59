"""The club's server. Refuses to start when something is missing, and names all of it at once."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

from bcc.settings import engines
from bcc.settings.base import *

REQUIRED = (
    "SECRET_KEY",
    "JWT_KEY",
    "OTP_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "ALLOWED_HOSTS",
    "DATA_DIR",
    "EMAIL_URL",
    "CLUB_NAME",
    "CLUB_EMAIL",
    "PUBLIC_URL",
)
# Django asks for 50 characters; HS256 and HMAC-SHA-256 for a key no shorter than their digest.
KEY_LENGTHS = {"SECRET_KEY": 50, "JWT_KEY": 32, "OTP_KEY": 32, "FILES_LINK_KEY": 32}


def _faults() -> list[str]:
    """What keeps production from starting, one sentence each."""
    faults = [f"{name} is not set." for name in REQUIRED if not os.environ.get(name, "").strip()]
    present = {name: os.environ.get(name, "") for name in KEY_LENGTHS}
    for name, length in KEY_LENGTHS.items():
        value = present[name]
        if value and (len(value) < length or len(set(value)) < 5):
            faults.append(f"{name} is too weak: it needs at least {length} random characters.")
    given = [value for value in present.values() if value]
    if len(set(given)) != len(given):
        faults.append("SECRET_KEY, JWT_KEY, OTP_KEY and FILES_LINK_KEY must differ from each other.")
    if not FILES_LINK_KEY.replace("-", "").replace("_", "").isalnum() and FILES_LINK_KEY:
        # It is written into nginx's configuration, where other signs mean something.
        faults.append("FILES_LINK_KEY may have letters, digits, hyphens and underscores only.")
    if env.bool("DEMO_MODE", False):
        faults.append(
            "DEMO_MODE is on: it shows one-time codes and moves the clock, and is for demonstrations only."
        )
    if env.bool("DEBUG", False):
        faults.append("DEBUG is on: it shows settings and source to anyone who meets an error.")
    return faults


_found = _faults()
if _found:
    raise ImproperlyConfigured("Production cannot start. " + " ".join(_found))

SECRET_KEY = env.str("SECRET_KEY")
JWT_KEY = env.str("JWT_KEY")
OTP_KEY = env.str("OTP_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
DATABASE_URL = env.str("DATABASE_URL")
REDIS_URL = env.str("REDIS_URL")
DATABASES = {"default": engines.database(DATABASE_URL)}
globals().update(engines.redis_services(REDIS_URL))
globals().update(env.email_url("EMAIL_URL"))

# TLS ends at the proxy, which must set this header itself on every request.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# The health probes come from the machine itself, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
TRUSTED_PROXY_HOPS = env.int("TRUSTED_PROXY_HOPS", 1)

STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
