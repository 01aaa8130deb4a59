"""What the database says after a storm, in SQL of its own: none of the project's models or rules.

Only tables, columns and the states that occupy are known here, so a mistake in the models does not
excuse itself.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

OCCUPYING = "('HELD','PENDING_APPROVAL','PENDING_CONFIRMATION','CONFIRMED','CHECKED_IN')"

# What is told once in the life of a reservation; that it was moved may be told again.
ONCE = "('reservation_held','reservation_confirmed','reservation_expired','reservation_denied')"
# The engines write a public id differently, and a link holds it with its dashes.
_LINK = "'reservations/' || REPLACE(CAST(r.public_id AS text), '-', '')"

# name → a query whose every row is something wrong.
OVERBOOKED = "more reservations over one instant than the space has lanes"
OVER_QUOTA = "a household above its quota of tables"
TWO_WINNERS = "a step of a reservation from a state that it was not in"
CHECKS = {
    "two reservations in one lane of one cell": """
        SELECT space_id, cell_start, lane, COUNT(*) FROM reservations_slotclaim
        GROUP BY space_id, cell_start, lane HAVING COUNT(*) > 1
    """,
    OVERBOOKED: f"""
        SELECT a.id, s.id FROM reservations_reservation a
        JOIN facilities_facilityspace fa ON fa.facility_id = a.facility_id
        JOIN facilities_space s ON s.id = fa.space_id
        WHERE a.state IN {OCCUPYING} AND (
            SELECT COALESCE(SUM(b.lanes), 0) FROM reservations_reservation b
            JOIN facilities_facilityspace fb ON fb.facility_id = b.facility_id
            WHERE fb.space_id = s.id AND b.state IN {OCCUPYING}
              AND b.starts_at <= a.starts_at AND b.ends_at > a.starts_at
        ) > s.lanes
    """,
    "a reservation that occupies and holds no claim": f"""
        SELECT r.id FROM reservations_reservation r WHERE r.state IN {OCCUPYING}
        AND NOT EXISTS (SELECT 1 FROM reservations_slotclaim c WHERE c.reservation_id = r.id)
    """,
    "a claim of a reservation that does not occupy": f"""
        SELECT c.id FROM reservations_slotclaim c
        JOIN reservations_reservation r ON r.id = c.reservation_id WHERE r.state NOT IN {OCCUPYING}
    """,
    "a reservation without its first event": """
        SELECT r.id FROM reservations_reservation r WHERE NOT EXISTS (
            SELECT 1 FROM reservations_reservationevent e
            WHERE e.reservation_id = r.id AND e.action = 'created')
    """,
    OVER_QUOTA: f"""
        SELECT r.membership_id, r.starts_on, COUNT(*) FROM reservations_reservation r
        JOIN facilities_facility f ON f.id = r.facility_id
        WHERE f.kind = 'table' AND r.state IN {OCCUPYING}
        GROUP BY r.membership_id, r.starts_on HAVING COUNT(*) > 2
    """,
    "a claim outside of its reservation's time": """
        SELECT c.id FROM reservations_slotclaim c JOIN reservations_reservation r ON r.id = c.reservation_id
        WHERE c.cell_start < r.starts_at OR c.cell_start >= r.ends_at
    """,
    "a reservation whose history ends in another state": """
        SELECT r.id, r.state FROM reservations_reservation r WHERE r.state <> (
            SELECT e.to_state FROM reservations_reservationevent e
            WHERE e.reservation_id = r.id ORDER BY e.id DESC LIMIT 1)
    """,
    TWO_WINNERS: """
        SELECT seen.id FROM (
            SELECT e.id, e.action, e.from_state, LAG(e.to_state) OVER (
                PARTITION BY e.reservation_id ORDER BY e.id) AS before
            FROM reservations_reservationevent e) seen
        WHERE seen.action <> 'created' AND (seen.before IS NULL OR seen.from_state <> seen.before)
    """,
    "a reservation that came twice to one state": """
        SELECT reservation_id, to_state FROM reservations_reservationevent
        WHERE action IN ('created', 'moved') GROUP BY reservation_id, to_state HAVING COUNT(*) > 1
    """,
    "a member told twice of one step": f"""
        SELECT user_id, kind, channel, link FROM accounts_notification
        WHERE kind IN {ONCE} GROUP BY user_id, kind, channel, link HAVING COUNT(*) > 1
    """,
    "a member not told that a reservation expired": f"""
        SELECT r.id FROM reservations_reservation r JOIN accounts_member m ON m.id = r.member_id
        WHERE r.state = 'EXPIRED' AND m.user_id IS NOT NULL AND {_LINK} NOT IN (
            SELECT REPLACE(n.link, '-', '') FROM accounts_notification n
            WHERE n.kind = 'reservation_expired' AND n.channel = 'in_app')
    """,
    "an idempotency key with two rows": """
        SELECT principal, route, key FROM core_idempotencykey
        GROUP BY principal, route, key HAVING COUNT(*) > 1
    """,
}


def ask(database: Path | str, query: str, *values: object) -> list[tuple[object, ...]]:
    """The rows of ``query``, whose places are question marks, from a SQLite file or a PostgreSQL URL."""
    if isinstance(database, Path):
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()
    with psycopg.connect(database, options="-c timezone=UTC") as session:
        return session.execute(query.replace("?", "%s").encode(), values).fetchall()


def change(database: Path | str, query: str, *values: object) -> int:
    """Change rows behind the back of the server; how many."""
    if isinstance(database, Path):
        with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
            return connection.execute(query, values).rowcount
    with psycopg.connect(database, options="-c timezone=UTC") as session:
        return session.execute(query.replace("?", "%s").encode(), values).rowcount


def find_wrongs(database: Path | str) -> dict[str, list[tuple[object, ...]]]:
    """Each check that found something, with its rows; empty when all is well."""
    found = {name: ask(database, query) for name, query in CHECKS.items()}
    return {name: rows for name, rows in found.items() if rows}


def count(database: Path | str, query: str, *values: object) -> int:
    number = ask(database, query, *values)[0][0]
    assert isinstance(number, int)
    return number
