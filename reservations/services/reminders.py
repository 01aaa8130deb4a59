"""Reminders before deadlines and before the start, once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from bcc.core import transactions
from facilities.models import PolicyVersion
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.services import messages


def send_reminders(*, now: datetime) -> int:
    """Tell every member whose reminder is due; the outbox's key makes it once. How many were due."""
    return _remind_of_deadlines(now) + _remind_of_starts(now)


def _remind_of_deadlines(now: datetime) -> int:
    field = "reminder_before_deadline_minutes"
    # An approval is the club's to give: there is nothing that the member could do in time.
    rows = Reservation.objects.filter(
        state__in=[State.HELD, State.PENDING_CONFIRMATION],
        expires_at__gt=now,
        expires_at__lte=now + _furthest(field),
    )
    return sum(
        _remind(row, kind="reservation_deadline_reminder", until=row.expires_at, before=before, now=now)
        for row, before in _with_lead(rows, field)
    )


def _remind_of_starts(now: datetime) -> int:
    field = "reminder_before_start_minutes"
    rows = Reservation.objects.filter(
        state=State.CONFIRMED, starts_at__gt=now, starts_at__lte=now + _furthest(field)
    )
    return sum(
        _remind(row, kind="reservation_start_reminder", until=row.starts_at, before=before, now=now)
        for row, before in _with_lead(rows, field)
    )


def _furthest(field: str) -> timedelta:
    minutes = PolicyVersion.objects.aggregate(most=Max(field))["most"]
    return timedelta(minutes=minutes or 0)


def _with_lead(rows: QuerySet[Reservation], field: str) -> Iterator[tuple[Reservation, timedelta]]:
    for row in rows.select_related("facility", "member", "policy_version").order_by("pk"):
        minutes = getattr(row.policy_version, field, None)
        if minutes is not None:
            yield row, timedelta(minutes=minutes)


@transactions.writes
def _remind(row: Reservation, *, kind: str, until: datetime | None, before: timedelta, now: datetime) -> int:
    if until is None or row.member is None or now < until - before or row.created_at > until - before:
        # What was booked after the moment of its reminder was told of the deadline just then.
        return 0
    messages.tell(
        row,
        kind=kind,
        user_id=row.member.user_id,
        now=now,
        facility_name=row.facility.name,
        dedupe=f"{kind}:{row.public_id}:{until.isoformat()}",
        valid_until=until,
    )
    return 1
