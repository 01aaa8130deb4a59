"""Every entry of the schedule: late or run twice, it does its work once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from celery import current_app
from django.core import mail

from accounts.models import Channel, Member, Notification, OneTimePassword
from accounts.services.household import change_membership
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from bcc.core.models import IdempotencyKey
from bcc.settings.schedules import SCHEDULES
from documents.models import Image
from metrics.models import Activity
from metrics.services.activities import flush_activities, record_activity
from reservations import services
from reservations.models import ReservationEvent, Strike
from tests.factories import make_facility, make_image
from tests.reservations.bookings import book, wish_for

Count = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for a task: it is due ``after`` so long, and ``done`` counts what became of it."""

    after: timedelta
    done: Count


def moves_to(state: str) -> Count:
    return ReservationEvent.objects.filter(to_state=state).count


def a_hold(owner: Member, now: datetime) -> Work:
    book(owner, wish_for(make_facility("Held", terms={"hold_minutes": 5})), now=now)
    return Work(timedelta(minutes=5), moves_to("EXPIRED"))


def a_household_in_arrears(owner: Member, now: datetime) -> Work:
    book(owner, wish_for(make_facility("Strict", terms={"on_bad_standing": "cancel"})), now=now)
    membership = owner.membership
    change_membership(
        membership=membership, category=membership.category, standing="delinquent", valid_to=None, now=now
    )
    return Work(timedelta(0), moves_to("CANCELLED_CLUB"))


def a_start_to_be_reminded_of(owner: Member, now: datetime) -> Work:
    book(owner, wish_for(make_facility("Reminded", terms={"reminder_before_start_minutes": 60})), now=now)
    told = Notification.objects.filter(kind="reservation_start_reminder", channel=Channel.IN_APP)
    return Work(timedelta(hours=25), told.count)


def nobody_who_came(owner: Member, now: datetime) -> Work:
    book(owner, wish_for(make_facility("Missed", terms={"no_show_after_minutes": 15})), now=now)
    return Work(timedelta(hours=26, minutes=15), Strike.objects.count)


def a_time_that_is_over(owner: Member, now: datetime) -> Work:
    book(owner, wish_for(make_facility("Played")), now=now)
    return Work(timedelta(hours=27), moves_to("COMPLETED"))


def a_notice_for_later(owner: Member, now: datetime) -> Work:
    assert owner.user_id is not None
    notify(
        user_id=owner.user_id,
        kind="password_changed",
        context={"at": "now"},
        dedupe="later",
        now=now,
        send_at=now + timedelta(hours=1),
        only=Channel.EMAIL,
    )
    return Work(timedelta(hours=1), lambda: len(mail.outbox))


def gone(row: type[OneTimePassword | IdempotencyKey | Activity]) -> Count:
    return lambda: 1 - row._base_manager.count()


def a_code_of_the_day_before(owner: Member, now: datetime) -> Work:
    issue_challenge(user=None, purpose=Purpose.RESET, now=now)
    return Work(timedelta(days=1, minutes=6), gone(OneTimePassword))


def a_reply_of_the_day_before(owner: Member, now: datetime) -> Work:
    IdempotencyKey.objects.create(principal=uuid4(), route="r", key="k", body_sha256="", created_at=now)
    return Work(timedelta(days=1), gone(IdempotencyKey))


def a_sign_in_of_long_ago(owner: Member, now: datetime) -> Work:
    record_activity(name=Activity.Name.SIGN_IN, at=now, about_on=now.date(), properties={})
    flush_activities()
    return Work(timedelta(days=3660), gone(Activity))


def a_photo_that_was_not_used(owner: Member, now: datetime) -> Work:
    make_image(purpose="member_photo", uploaded_by=owner.user, created_at=now)
    return Work(timedelta(days=1, seconds=1), lambda: 1 - Image.objects.count())


# One for each entry of the schedule: a new entry is given its own here.
WORKS: dict[str, Callable[[Member, datetime], Work]] = {
    "reservations.expire_due": a_hold,
    "reservations.apply_standings": a_household_in_arrears,
    "reservations.send_reminders": a_start_to_be_reminded_of,
    "reservations.mark_no_shows": nobody_who_came,
    "reservations.complete_finished": a_time_that_is_over,
    "accounts.send_due_notifications": a_notice_for_later,
    "accounts.purge_expired": a_code_of_the_day_before,
    "core.purge_idempotency_keys": a_reply_of_the_day_before,
    "documents.drop_unused_photos": a_photo_that_was_not_used,
    "metrics.purge_activities": a_sign_in_of_long_ago,
}


class TestEveryEntry:
    def test_has_its_work_here(self) -> None:
        assert {schedule.task for schedule in SCHEDULES.values()} == set(WORKS)

    @pytest.mark.parametrize("task", WORKS)
    def test_does_it_when_it_is_due_and_once(
        self, owner: Member, now: datetime, travel: time_machine.Traveller, task: str
    ) -> None:
        work = WORKS[task](owner, now)
        run: Any = current_app.tasks[task]

        if work.after:
            run()
            assert work.done() == 0, "before its time"
        travel.move_to(now + work.after)
        run()
        assert work.done() == 1
        run()  # a second scheduler
        travel.shift(timedelta(minutes=1))
        run()  # the next tick
        assert work.done() == 1

    @pytest.mark.parametrize("task", [task for task in WORKS if task != "reservations.send_reminders"])
    def test_is_right_after_missed_ticks(
        self, owner: Member, now: datetime, travel: time_machine.Traveller, task: str
    ) -> None:
        work = WORKS[task](owner, now)
        travel.move_to(now + work.after + timedelta(minutes=40))

        current_app.tasks[task]()

        assert work.done() == 1

    def test_reminds_late_but_never_after_the_start(
        self, owner: Member, now: datetime, travel: time_machine.Traveller
    ) -> None:
        work = a_start_to_be_reminded_of(owner, now)
        travel.move_to(now + timedelta(hours=26))

        services.send_reminders(now=now + timedelta(hours=26))
        assert work.done() == 0
        services.send_reminders(now=now + timedelta(hours=25, minutes=59))
        assert work.done() == 1
