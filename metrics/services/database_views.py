"""The database's views: code rather than data, so made anew after each migrate, as permissions are.

Not in a migration on purpose. A view stands in the way of every later change to the tables it reads:
SQLite then cannot rename a table that it rebuilt, PostgreSQL cannot change the type of a column. So
views go before the first migration runs and come back after the last one, and no app has to know
which of its tables somebody above reads.
"""

from __future__ import annotations

from typing import Final

from django.db import connections

from bcc.core import transactions
from reservations.policies.states import COUNTED_WHEN_OVER, OCCUPYING, State

OCCUPANCY: Final = "metrics_occupancy"
READS: Final = "reservations_reservation"
COLUMNS: Final = frozenset(
    {"id", "facility_id", "type", "state", "starts_on", "starts_at", "ends_at", "party", "guest_count"}
)

# Between two columns of the table, in whole minutes; each engine keeps time in a way of its own. A cast
# of PostgreSQL's rounds, and DATEDIFF(minute) counts the minutes that begin, so both go by the seconds.
_MINUTES: Final = {
    "sqlite": "(CAST(strftime('%s', ends_at) AS INTEGER) - CAST(strftime('%s', starts_at) AS INTEGER)) / 60",
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM (ends_at - starts_at)) / 60) AS BIGINT)",
    "microsoft": "CAST(DATEDIFF(second, starts_at, ends_at) / 60 AS BIGINT)",
}
# SQL Server wants a view alone in its batch, which one statement a call is.
_CREATE: Final = {
    "sqlite": "CREATE VIEW",
    "postgresql": "CREATE OR REPLACE VIEW",
    "microsoft": "CREATE OR ALTER VIEW",
}


def occupancy_sql(vendor: str) -> str:
    """What makes the view for a database's vendor, one statement. Raises KeyError for an unknown one."""
    minutes = _MINUTES[vendor]
    taken = f"state IN ({_listed(OCCUPYING | COUNTED_WHEN_OVER)})"
    stands = f"type <> 'BLOCKED' AND {taken}"
    cancelled = _listed({State.CANCELLED_MEMBER, State.CANCELLED_CLUB})
    lapsed = _listed({State.EXPIRED, State.DENIED})
    columns = {
        "bookings": (stands, "1"),
        "minutes": (stands, minutes),
        "people": (stands, "party"),
        "guests": (stands, "guest_count"),
        "no_shows": (f"state = '{State.NO_SHOW}'", "1"),
        "cancelled": (f"type <> 'BLOCKED' AND state IN ({cancelled})", "1"),
        "lapsed": (f"type <> 'BLOCKED' AND state IN ({lapsed})", "1"),
        "blocked_minutes": (f"type = 'BLOCKED' AND {taken}", minutes),
    }
    sums = ", ".join(
        f"CAST(SUM(CASE WHEN {condition} THEN {value} ELSE 0 END) AS BIGINT) AS {name}"
        for name, (condition, value) in columns.items()
    )
    return (
        f"{_CREATE[vendor]} {OCCUPANCY} AS SELECT MIN(id) AS id, facility_id, starts_on, {sums} "  # noqa: S608 - nothing from outside is in it
        f"FROM {READS} GROUP BY facility_id, starts_on"
    )


def drop_sql() -> str:
    """Its reverse, the same on every engine."""
    return f"DROP VIEW IF EXISTS {OCCUPANCY}"


def drop_views(*, using: str) -> None:
    """Take the views away, where they are."""
    if OCCUPANCY in _relations(using):
        _execute(drop_sql(), using)


def create_views(*, using: str) -> None:
    """Make the views that are missing; none while what they read is not all there."""
    connection = connections[using]
    relations = _relations(using)
    if OCCUPANCY in relations or READS not in relations:
        return
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, READS)}
    if columns >= COLUMNS:
        _execute(occupancy_sql(connection.vendor), using)


def _execute(statement: str, using: str) -> None:
    def execute() -> None:
        with connections[using].cursor() as cursor:
            cursor.execute(statement)

    transactions.run(execute, using=using)


def _relations(using: str) -> set[str]:
    return set(connections[using].introspection.table_names(include_views=True))


def _listed(states: set[State] | frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))
