"""Every entry of the schedule: late or run twice, it does its work once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.core.files.storage import default_storage

from accounts.models import AccountImport, Channel, Member, Notification, OneTimePassword, StaffMessage
from accounts.services.household import change_membership
from accounts.services.issuing import take_file
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import Purpose, issue_challenge
from accounts.services.roles import sync_roles
from accounts.services.staff_messages import plan
from bcc.core.models import IdempotencyKey
from bcc.settings.schedules import SCHEDULES
from chat.models import Connection, Message, RetentionRule, SocketProcess
from chat.models import Participant as ChatParticipant
from documents.models import Image, ImportBatch, KindRule
from documents.services.assets import ORPHAN_AGE, keep_bytes
from documents.services.batches.receive import receive_batch
from documents.services.dropfolder import DROP_FOLDER, scan_dropfolder
from metrics.models import Activity
from metrics.services.activities import flush_activities, record_activity
from reservations import services
from reservations.models import ReservationEvent, Strike
from tests.chat.talk import at_desk, make_clerk, make_desk, say
from tests.documents.batches.delivery import balance, balances_file
from tests.factories import UserFactory, make_facility, make_image
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


def a_file_of_accounts_left_behind(owner: Member, now: datetime) -> Work:
    code = owner.membership.category.code
    data = f"account_no,category,first_name,last_name\nNEW-1,{code},Demo,New\n".encode()
    batch = take_file(name="accounts.csv", data=data, by="Test", now=now)
    AccountImport.objects.filter(pk=batch.pk).update(
        state="RUNNING", leased_until=now + timedelta(seconds=60)
    )
    return Work(timedelta(seconds=60), Member.objects.filter(membership__account_no="NEW-1").count)


def a_message_of_the_staff(owner: Member, now: datetime) -> Work:
    message = StaffMessage.objects.create(
        title="x", body="x", audience="members", by_email=False, written_by="Test", created_at=now
    )
    plan(message=message, send_at=now + timedelta(minutes=10), now=now)
    return Work(timedelta(minutes=10), Notification.objects.filter(kind="staff_message_in_app").count)


def an_import_of_last_year(owner: Member, now: datetime) -> Work:
    a_file_of_accounts_left_behind(owner, now)
    AccountImport.objects.update(state="DONE", leased_until=None)
    return Work(timedelta(days=91), lambda: 1 - AccountImport.objects.count())


def gone(row: type[OneTimePassword | IdempotencyKey | Activity | Message]) -> Count:
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


def a_file_that_nobody_names(owner: Member, now: datetime) -> Work:
    asset = keep_bytes(f"nobody's, {uuid4()}".encode(), media_type="text/plain", now=now)
    os.utime(default_storage.path(asset.key), (now.timestamp(), now.timestamp()))

    def is_gone() -> int:
        return int(not default_storage.exists(asset.key))

    return Work(ORPHAN_AGE, is_gone)


def a_batch_that_nobody_holds(owner: Member, now: datetime) -> Work:
    """Its worker was killed before it read a row."""
    batch = receive_batch(
        kind="balances",
        period="2026-05",
        files=[balances_file(balance(owner.membership, 0, 1, 0, 1))],
        source="upload",
        by=DROP_FOLDER,
        now=now,
    ).batch
    return Work(timedelta(0), batch.events.filter(to_state="REVIEW").count)


def a_file_that_stands_still(owner: Member, now: datetime) -> Work:
    folder = Path(settings.FINANCE_DROP_FOLDER) / "balances" / "2026-05"
    folder.mkdir(parents=True)
    delivered = balances_file(balance(owner.membership, 0, 1, 0, 1))
    (folder / delivered.name).write_bytes(delivered.content.read())
    scan_dropfolder(now=now - timedelta(minutes=1))
    return Work(timedelta(0), ImportBatch.objects.filter(source="drop_folder").count)


def a_file_that_has_not_come(owner: Member, now: datetime) -> Work:
    sync_roles()
    user = UserFactory.create(is_staff=True)
    user.groups.add(Group.objects.get(name="Finance Uploader"))
    KindRule.objects.filter(kind="balances").update(expected_day=2)
    told = Notification.objects.filter(kind="finance_file_missing", channel=Channel.IN_APP)
    return Work(timedelta(days=2), told.count)


def a_message_to_who_is_away(owner: Member, now: datetime) -> Work:
    clerk = make_clerk()
    say(at_desk(make_desk(), owner, now), clerk, now=now)
    # As if the nudge had been lost, while their phone was on a server that dies half a minute later.
    Notification.objects.all().delete()
    ChatParticipant.objects.update(told_seq=0)
    process = SocketProcess.objects.create(name="p", started_at=now, seen_at=now + timedelta(seconds=29.5))
    Connection.objects.create(
        process=process, user_id=owner.user_id or 0, session=uuid4(), connected_at=now, last_active_at=now
    )
    told = Notification.objects.filter(kind="chat_message", channel=Channel.IN_APP)
    return Work(timedelta(minutes=1), told.count)


def a_message_that_is_kept_no_longer(owner: Member, now: datetime) -> Work:
    say(at_desk(make_desk(), owner, now), owner, now=now)
    RetentionRule.objects.create(kind="desk", keep_days=30)
    return Work(timedelta(days=30, minutes=1), gone(Message))


# One for each entry of the schedule: a new entry is given its own here.
WORKS: dict[str, Callable[[Member, datetime], Work]] = {
    "reservations.expire_due": a_hold,
    "reservations.apply_standings": a_household_in_arrears,
    "reservations.send_reminders": a_start_to_be_reminded_of,
    "reservations.mark_no_shows": nobody_who_came,
    "reservations.complete_finished": a_time_that_is_over,
    "accounts.send_due_notifications": a_notice_for_later,
    "accounts.send_staff_messages": a_message_of_the_staff,
    "accounts.apply_retention": an_import_of_last_year,
    "accounts.run_imports": a_file_of_accounts_left_behind,
    "accounts.purge_expired": a_code_of_the_day_before,
    "documents.sweep_assets": a_file_that_nobody_names,
    "core.purge_idempotency_keys": a_reply_of_the_day_before,
    "documents.drop_unused_photos": a_photo_that_was_not_used,
    "metrics.purge_activities": a_sign_in_of_long_ago,
    "chat.tell_away": a_message_to_who_is_away,
    "chat.apply_retention": a_message_that_is_kept_no_longer,
    "documents.sweep_batches": a_batch_that_nobody_holds,
    "documents.scan_dropfolder": a_file_that_stands_still,
    "documents.expect_files": a_file_that_has_not_come,
}


@pytest.fixture(autouse=True)
def drop_folder(tmp_path: Path, settings: Any) -> None:
    settings.FINANCE_DROP_FOLDER = str(tmp_path)


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
