"""What the configuration must be for the rules of ``bcc.core.transactions`` to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core import checks

READ_COMMITTED: Final = "READ COMMITTED"
# The numbers of psycopg's IsolationLevel, which Django takes in OPTIONS.
POSTGRESQL_LEVELS: Final = {
    "1": "READ UNCOMMITTED",
    "2": READ_COMMITTED,
    "3": "REPEATABLE READ",
    "4": "SERIALIZABLE",
}
# The setting of the session, as PostgreSQL's own ``options`` may carry it.
SESSION_SETTING: Final = "default_transaction_isolation"


def check_isolation(**_: Any) -> list[checks.CheckMessage]:
    """An error for each database whose OPTIONS ask for another isolation level than READ COMMITTED.

    Above it a transaction that waited for the portable lock would read what stood before it waited, or
    fail; below it, what nobody committed. SQLite has no level to choose.
    """
    return [
        checks.Error(
            f"The database {alias!r} asks for the isolation level {level}.",
            hint="Leave isolation_level out of its OPTIONS: the locks rest on READ COMMITTED.",
            id="core.E001",
        )
        for alias, database in settings.DATABASES.items()
        if (level := _level(database)) != READ_COMMITTED
    ]


def _level(database: Mapping[str, Any]) -> str:
    engine = str(database.get("ENGINE", ""))
    options = database.get("OPTIONS") or {}
    if "sqlite" in engine:
        return READ_COMMITTED
    asked = options.get("isolation_level")
    if asked is None and SESSION_SETTING in str(options.get("options", "")):
        asked = str(options["options"]).partition(SESSION_SETTING)[2].lstrip("= ").partition(" -")[0]
    if asked is None:
        return READ_COMMITTED
    level = " ".join(str(asked).strip("'\" ").upper().replace("_", " ").replace("\\", " ").split())
    return POSTGRESQL_LEVELS.get(level, level) if "postgres" in engine else level
