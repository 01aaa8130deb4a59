"""What a transactional test leaves behind, taken away without making again what every migration makes.

Django's flush empties a hundred tables and then creates every permission and role anew: a second a test.
Here only tables with rows are emptied, and what migrations make stays, unless a test has changed it.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

# Made after each migration, by the apps themselves.
MADE: Final = (
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "documents_filenamepattern",
    "documents_kindrule",
    "documents_pageregion",
)
KEPT: Final = frozenset({*MADE, "django_migrations"})

_stock: Any = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # of Django itself
_made: dict[str, Any] = {}


def note_what_is_made() -> None:
    """To be called once, on the database as the migrations leave it."""
    _made[DEFAULT_DB_ALIAS] = _rows_of(connections[DEFAULT_DB_ALIAS])


def flush(case: TransactionTestCase) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    if case.available_apps is not None or _rows_of(connection) != _made.get(DEFAULT_DB_ALIAS):
        _stock(case)
        return
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.constraint_checks_disabled(), transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            if table in KEPT:
                continue
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT 1 FROM {name} LIMIT 1")
            if cursor.fetchone():
                cursor.execute(f"DELETE FROM {name}")


def _rows_of(connection: BaseDatabaseWrapper) -> dict[str, list[Any]]:
    found = {}
    with connection.cursor() as cursor:
        for table in MADE:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} ORDER BY id")
            found[table] = cursor.fetchall()
    return found
