"""The database as the measurements see it from outside: rows that a creation wrote, and away with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks.api.places import Place

# What the runs write, in the order in which it can be deleted, with what says that a row is theirs.
_OF_RESERVATION = (
    "reservations_slotclaim",
    "reservations_participant",
    "reservations_reservationevent",
)
_COMPARED = {
    "reservations_reservation": (
        "facility_id, member_id, membership_id, booked_by_id, policy_version_id, type, state, starts_at, "
        "ends_at, starts_on, expires_at, party, guest_count, nights, lanes, buffer_before_minutes, "
        "buffer_after_minutes, reschedules, is_charged, needs_attention, title, notes, room_no, "
        "version, ended_at"
    ),
    "reservations_slotclaim": "space_id, cell_start, lane",
    "reservations_participant": "kind, member_id, guest_id, position",
    "reservations_reservationevent": (
        "action, from_state, to_state, actor_kind, actor_name, actor_user_id, reason, details"
    ),
}
_NOTIFIED = "user_id, channel, kind, state, attempts, last_error, valid_until"
_KEPT = "principal, route, key, body_sha256, status, length(reply)"


@contextmanager
def cursor_of(where: Place) -> Iterator[Any]:
    """A cursor that commits each statement, on either engine."""
    if where.engine == "postgres":
        with (
            psycopg.connect(where.database_url, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
        return
    found = sqlite3.connect(where.data_dir / "bcc.sqlite3", isolation_level=None, timeout=20)
    try:
        yield found.cursor()
    finally:
        found.close()


def remove_created(where: Place, club: dict[str, Any]) -> int:
    """Delete what was created since the club was loaded; how many reservations that were."""
    last, noted = int(club["last_reservation"]), int(club["last_notification"])
    with cursor_of(where) as cursor:
        for table in _OF_RESERVATION:
            cursor.execute(f"DELETE FROM {table} WHERE reservation_id > {last}")
        cursor.execute(f"DELETE FROM accounts_notification WHERE id > {noted}")
        cursor.execute("DELETE FROM core_idempotencykey")
        cursor.execute(f"DELETE FROM reservations_reservation WHERE id > {last}")
        removed = int(cursor.rowcount)
        if where.engine == "postgres":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()
    return removed


def created_rows(where: Place, club: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """What was created since the club was loaded, without keys, moments and random ids."""
    last, noted = int(club["last_reservation"]), int(club["last_notification"])
    found: dict[str, list[tuple[Any, ...]]] = {}
    with cursor_of(where) as cursor:
        for table, columns in _COMPARED.items():
            key = "id" if table == "reservations_reservation" else "reservation_id"
            cursor.execute(f"SELECT {columns} FROM {table} WHERE {key} > {last} ORDER BY id")
            found[table] = [_plain(row) for row in cursor.fetchall()]
        cursor.execute(f"SELECT {_NOTIFIED} FROM accounts_notification WHERE id > {noted} ORDER BY channel")
        found["accounts_notification"] = [_plain(row) for row in cursor.fetchall()]
        cursor.execute(f"SELECT {_KEPT} FROM core_idempotencykey ORDER BY id")
        found["core_idempotencykey"] = [_plain(row) for row in cursor.fetchall()]
    return found


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(str(value) for value in row)
