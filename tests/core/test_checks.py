from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from pytest_django import Settings

from bcc.core.checks import check_isolation

SQLITE, POSTGRESQL, MSSQL = "django.db.backends.sqlite3", "django.db.backends.postgresql", "mssql"


def asking(settings: Settings, engine: str, options: dict[str, Any] | None) -> list[str | None]:
    """The ids that the check gives of one database with these OPTIONS."""
    with pytest.warns(UserWarning, match="Overriding setting DATABASES"):
        settings.DATABASES = {"default": {"ENGINE": engine, "OPTIONS": options}}
    return [message.id for message in check_isolation()]


class TestCheckIsolation:
    @pytest.mark.parametrize(
        ("engine", "options"),
        [
            (SQLITE, {"isolation_level": "EXCLUSIVE"}),
            (POSTGRESQL, None),
            (POSTGRESQL, {}),
            (POSTGRESQL, {"isolation_level": 2}),
            (POSTGRESQL, {"options": "-c statement_timeout=5000"}),
            (POSTGRESQL, {"options": r"-c default_transaction_isolation=read\ committed -c jit=off"}),
            (MSSQL, {"python_driver": "mssql_python"}),
            (MSSQL, {"isolation_level": "READ COMMITTED"}),
            (MSSQL, {"isolation_level": "read  committed"}),
        ],
    )
    def test_takes_read_committed(
        self, settings: Settings, engine: str, options: dict[str, Any] | None
    ) -> None:
        assert asking(settings, engine, options) == []

    @pytest.mark.parametrize(
        ("engine", "options"),
        [
            (POSTGRESQL, {"isolation_level": 1}),
            (POSTGRESQL, {"isolation_level": 3}),
            (POSTGRESQL, {"isolation_level": "4"}),
            (POSTGRESQL, {"options": "-c default_transaction_isolation=serializable"}),
            (POSTGRESQL, {"options": r"-c default_transaction_isolation='repeatable\ read'"}),
            (MSSQL, {"isolation_level": "READ UNCOMMITTED"}),
            (MSSQL, {"isolation_level": "REPEATABLE READ"}),
            (MSSQL, {"isolation_level": "SNAPSHOT"}),
            (MSSQL, {"isolation_level": "serializable"}),
            # Pasted into a statement as it stands.
            (MSSQL, {"isolation_level": "READ COMMITTED; DROP TABLE club"}),
        ],
    )
    def test_refuses_every_other_level(
        self, settings: Settings, engine: str, options: dict[str, Any]
    ) -> None:
        assert asking(settings, engine, options) == ["core.E001"]

    def test_names_database_and_level(self, settings: Settings) -> None:
        asking(settings, POSTGRESQL, {"isolation_level": 4})
        (message,) = check_isolation()
        assert message.msg == "The database 'default' asks for the isolation level SERIALIZABLE."

    def test_is_among_the_checks_of_every_command(self) -> None:
        registered: Any = checks.registry.registry.get_checks()
        assert check_isolation in registered
