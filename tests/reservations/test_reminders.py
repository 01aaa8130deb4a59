"""Reminders before deadlines and before the start, once each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Member, Notification
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Type
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.bookings import STAFF, actor_of, book, wish_for

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
STARTS = at_club(2, 10)


def booked_with(owner: Member, now: datetime, **terms: Any) -> Reservation:
    return book(owner, wish_for(make_facility("Reminding", terms=terms)), now=now)


def reminded(kind: str) -> list[Notification]:
    return list(Notification.objects.filter(kind=f"reservation_{kind}_reminder", channel="in_app"))


class TestBeforeTheStart:
    terms = {"reminder_before_start_minutes": 120}

    def test_comes_at_its_moment_and_once(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, **self.terms)
        due = STARTS - 2 * HOUR

        services.send_reminders(now=due - SECOND)
        before = len(reminded("start"))
        for at in (due, due + MINUTE, due + HOUR):
            services.send_reminders(now=at)

        assert (before, len(reminded("start"))) == (0, 1)
        assert reminded("start")[0].context["when"] == "2 June 2026, 10:00"

    def test_is_never_sent_late(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, **self.terms)

        assert services.send_reminders(now=STARTS) == 0
        assert reminded("start") == []

    def test_is_not_for_who_booked_after_its_moment(self, owner: Member, now: datetime) -> None:
        booked_with(owner, STARTS - HOUR, **self.terms)

        assert services.send_reminders(now=STARTS - 30 * MINUTE) == 0

    def test_comes_again_for_the_new_time_of_what_was_moved(self, owner: Member, now: datetime) -> None:
        booked = booked_with(owner, now, **self.terms)
        services.send_reminders(now=STARTS - 2 * HOUR)
        services.reschedule_reservation(
            reservation=booked,
            starts_at=at_club(3, 10),
            ends_at=at_club(3, 11),
            by=actor_of(owner),
            now=STARTS - 2 * HOUR,
        )

        services.send_reminders(now=at_club(3, 8))

        assert [one.context["when"] for one in reminded("start")] == [
            "2 June 2026, 10:00",
            "3 June 2026, 10:00",
        ]

    def test_is_not_for_what_waits_or_is_over(self, owner: Member, now: datetime) -> None:
        held = booked_with(owner, now, hold_minutes=3000, **self.terms)
        services.send_reminders(now=STARTS - HOUR)
        services.cancel_reservation(reservation=held, by=actor_of(owner), reason="", now=now)

        assert services.send_reminders(now=STARTS - HOUR) == 0
        assert reminded("start") == []

    def test_is_only_where_the_policy_says_so(self, owner: Member, court: Facility, now: datetime) -> None:
        make_facility("Another", terms=self.terms)
        book(owner, wish_for(court), now=now)
        services.block_facility(
            facility_id=court.pk,
            interval=wish_for(court, hour=11).interval,
            type=Type.EVENT,
            title="Cup",
            by=STAFF,
            now=now,
        )

        assert services.send_reminders(now=STARTS - HOUR) == 0


class TestBeforeADeadline:
    def test_comes_before_a_hold_expires_and_once(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, hold_minutes=60, reminder_before_deadline_minutes=15)
        due = now + 45 * MINUTE

        services.send_reminders(now=due - SECOND)
        before = len(reminded("deadline"))
        services.send_reminders(now=due)
        services.send_reminders(now=due + MINUTE)

        assert (before, len(reminded("deadline"))) == (0, 1)
        assert reminded("deadline")[0].context["deadline"] == "1 June 2026, 09:00"

    def test_comes_before_a_confirmation_is_due(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, confirm_before_start_minutes=120, reminder_before_deadline_minutes=60)

        services.send_reminders(now=STARTS - 3 * HOUR)

        assert len(reminded("deadline")) == 1

    def test_is_not_for_what_waits_for_the_club(self, owner: Member, now: datetime) -> None:
        """The member can do nothing about an approval; to be told to confirm it would be wrong."""
        booked_with(
            owner,
            now,
            approval_required=True,
            approval_sla_minutes=60,
            reminder_before_deadline_minutes=15,
        )

        assert services.send_reminders(now=now + 50 * MINUTE) == 0
        assert reminded("deadline") == []

    def test_is_not_after_the_deadline(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, hold_minutes=60, reminder_before_deadline_minutes=15)

        assert services.send_reminders(now=now + HOUR) == 0

    def test_is_not_for_a_hold_shorter_than_it(self, owner: Member, now: datetime) -> None:
        """Who has just read that they have ten minutes is not told so again at once."""
        booked_with(owner, now, hold_minutes=10, reminder_before_deadline_minutes=15)

        assert services.send_reminders(now=now + MINUTE) == 0

    def test_nobody_is_told_without_a_sign_in(self, owner: Member, now: datetime) -> None:
        booked_with(owner, now, hold_minutes=60, reminder_before_deadline_minutes=15)
        owner.user = None
        owner.save()

        services.send_reminders(now=now + 50 * MINUTE)

        assert reminded("deadline") == []
