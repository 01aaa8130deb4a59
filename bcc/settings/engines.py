"""Database, cache, sockets and queue: the embedded default, or the services that URLs name.

Without ``DATABASE_URL`` and ``REDIS_URL`` everything lives in one process and one folder, behind
the same Django, Channels and Celery interfaces as the services in production.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

SQLITE_TIMEOUT_SECONDS = 20
SCHEMES = frozenset({"sqlite", "postgres", "postgresql", "mssql"})
PYTHON_DRIVERS = ("mssql_python", "pyodbc")
ODBC_DRIVER = "ODBC Driver 18 for SQL Server"
# Messages on their way to one process, for all of its sockets together; more are dropped.
CHANNEL_CAPACITY = 5_000
# The alias of the cache that holds the counters of rate limits.
COUNTERS = "counters"
REDIS_VISIBILITY_TIMEOUT_SECONDS = 15 * 60


def sqlite(path: Path | str, *, synchronous: str = "NORMAL") -> dict[str, Any]:
    """A SQLite file in WAL mode whose transactions take the write lock when they begin.

    Deferred transactions fail with "database is locked" when two of them start to write;
    immediate ones wait for their turn. NORMAL survives a killed process; only a power cut can
    take the last moments with it, and never the file.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_TIMEOUT_SECONDS,
            "init_command": (
                f"PRAGMA journal_mode=WAL;PRAGMA synchronous={synchronous};"
                "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-20000;PRAGMA mmap_size=134217728"
            ),
        },
    }


def database(url: str) -> dict[str, Any]:
    """Django's settings for ``DATABASE_URL``: postgres://, mssql:// or sqlite:///path.

    What follows a ``?`` goes to OPTIONS. SQL Server is spoken to through ``mssql_python``, or through
    ``?python_driver=pyodbc`` and then an ODBC ``driver`` that the machine has.
    Raises ImproperlyConfigured where the URL names no engine, or no driver, that is known.
    """
    # Asked first: the parser would warn of an unknown one with the whole URL, password and all.
    if url.partition("://")[0] not in SCHEMES:
        raise ImproperlyConfigured(
            "DATABASE_URL names no engine that is known. Write postgres://…, mssql://… or sqlite:///…."
        )
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    options = dict(config.get("OPTIONS") or {})
    engine = config["ENGINE"]
    if engine == "django.db.backends.sqlite3":
        return sqlite(config["NAME"])
    if engine == "django.db.backends.postgresql":
        config["ENGINE"] = "bcc.core.postgres"
        # The pool keeps connections across threads; CONN_MAX_AGE must then be 0.
        # A pool that cannot connect asks again after twice as long each time, and whoever waits for it
        # waits too. Given up after ten seconds it is asked anew by the next request: a database that
        # was away for a minute is then used at once, and not a minute later.
        options.setdefault("pool", {"min_size": 1, "max_size": 10, "timeout": 10, "reconnect_timeout": 10})
        config["CONN_MAX_AGE"] = 0
        # A connection keeps the plan of a compiled statement from its second use on. Behind a pooler that
        # hands connections out by the transaction: ?prepare_threshold=0, which is never.
        options["prepare_threshold"] = int(options.get("prepare_threshold", 2)) or None
    elif engine == "mssql":
        options = _sql_server(options)
        # The drivers pool their own connections.
        config["CONN_MAX_AGE"] = 0
    config["CONN_HEALTH_CHECKS"] = True
    config["OPTIONS"] = options
    return config


def _sql_server(options: dict[str, Any]) -> dict[str, Any]:
    """``options`` with the driver settled. ``mssql_python`` brings its own ODBC driver and takes no other."""
    chosen = str(options.pop("python_driver", PYTHON_DRIVERS[0]))
    if chosen not in PYTHON_DRIVERS:
        raise ImproperlyConfigured(
            f"DATABASE_URL names no driver that is known. Write python_driver={' or '.join(PYTHON_DRIVERS)}."
        )
    if chosen == "pyodbc":
        # The back end takes pyodbc where no driver is named.
        return {"driver": ODBC_DRIVER, **options}
    if "driver" in options:
        raise ImproperlyConfigured(
            "DATABASE_URL names an ODBC driver, which only python_driver=pyodbc can use. Write both or none."
        )
    return {"python_driver": chosen, **options}


def embedded_services() -> dict[str, Any]:
    """Cache, channel layer and queue inside this process; what they hold ends with it."""
    memory = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "bcc",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
    return {
        "CACHES": {"default": memory, COUNTERS: memory},
        "CHANNEL_LAYERS": {
            "default": {
                "BACKEND": "bcc.core.layers.ThreadedInMemoryLayer",
                "CONFIG": {"capacity": CHANNEL_CAPACITY},
            }
        },
        # One process: what happens in the chat is handed over in it.
        "CHAT_REDIS_URL": "",
        "CELERY_BROKER_URL": "memory://localhost//",
        # The queue in memory wakes nobody: the worker looks into it this often, in seconds.
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"polling_interval": 0.1},
    }


def redis_services(url: str) -> dict[str, Any]:
    """Cache, channel layer and queue on the Redis at ``url``, apart by their key prefixes."""
    redis = {
        "LOCATION": url,
        "KEY_PREFIX": "bcc",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
    return {
        "CACHES": {
            "default": {"BACKEND": "bcc.core.cache.KeptRedisCache", **redis},
            COUNTERS: {"BACKEND": "bcc.core.cache.CountingRedisCache", **redis},
        },
        "CHANNEL_LAYERS": {
            "default": {
                "BACKEND": "bcc.core.redislayer.QuietRedisLayer",
                "CONFIG": {
                    # The client's own default times an idle receive() out after five seconds.
                    "hosts": [{"address": url, "socket_timeout": None}],
                    "prefix": "bcc-layer",
                    "capacity": CHANNEL_CAPACITY,
                },
            }
        },
        "CHAT_REDIS_URL": url,
        "CELERY_BROKER_URL": url,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {
            # A killed worker's tasks come back after this long, so no task may take longer.
            "visibility_timeout": REDIS_VISIBILITY_TIMEOUT_SECONDS,
            "global_keyprefix": "bcc-queue:",
        },
    }
