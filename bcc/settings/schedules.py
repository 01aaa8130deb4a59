"""What the scheduler does, and how often. ``manage.py sync_schedules`` brings it to the database.

Staff may change the times or switch an entry off in the admin; an edit of theirs is kept.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SCHEDULES", "Schedule"]

MINUTE = 60
HOUR = 60 * MINUTE


class Schedule(NamedTuple):
    """``task`` runs every ``every`` seconds, or by ``crontab`` (minute hour day month weekday, club time)."""

    task: str
    description: str
    every: int | None = None
    crontab: str | None = None


# By the name that the entry has in the admin. One of `every` and `crontab` each.
SCHEDULES: dict[str, Schedule] = {
    "Expire due holds": Schedule(
        "reservations.expire_due",
        "Ends holds and unconfirmed bookings whose deadline has passed, and frees their slots.",
        every=MINUTE,
    ),
    "Apply standings": Schedule(
        "reservations.apply_standings",
        "Flags or cancels coming bookings of households that fell out of good standing, as policies say.",
        every=MINUTE,
    ),
    "Send reservation reminders": Schedule(
        "reservations.send_reminders",
        "Reminds members before a deadline or a start, once each.",
        every=MINUTE,
    ),
    "Mark no-shows": Schedule(
        "reservations.mark_no_shows",
        "Marks confirmed bookings that nobody checked in to, where the policy says so.",
        every=MINUTE,
    ),
    "Complete finished reservations": Schedule(
        "reservations.complete_finished",
        "Completes bookings whose time is over.",
        every=MINUTE,
    ),
    "Send due notices": Schedule(
        "accounts.send_due_notifications",
        "Sends what is waiting in the outbox, and what an earlier attempt could not deliver.",
        every=MINUTE,
    ),
    "Tell who is away of chat messages": Schedule(
        "chat.tell_away",
        "Tells members once of what was written to them while no device of theirs was connected.",
        every=MINUTE,
    ),
    "Apply the chat's retention rules": Schedule(
        "chat.apply_retention",
        "Deletes chat messages that are older than the rules of their kind say.",
        crontab="40 3 * * *",
    ),
    "Work on Finance's batches": Schedule(
        "documents.sweep_batches",
        "Takes up batches that no worker holds: after a crash, and where a nudge was lost.",
        every=20,
    ),
    "Look into the drop folder": Schedule(
        "documents.scan_dropfolder",
        "Takes Finance's files from the drop folder once they stand still.",
        every=MINUTE,
    ),
    "Ask after Finance's files": Schedule(
        "documents.expect_files",
        "Tells Finance of a file that has not come by its day, once.",
        every=HOUR,
    ),
    "Send messages of staff": Schedule(
        "accounts.send_staff_messages",
        "Sends the messages to members whose time has come.",
        every=MINUTE,
    ),
    "Apply retention": Schedule(
        "accounts.apply_retention",
        "Deletes what is told of people and is kept no longer.",
        every=24 * HOUR,
    ),
    "Carry on imports of accounts": Schedule(
        "accounts.run_imports",
        "Goes on with files of accounts whose worker was stopped.",
        every=MINUTE,
    ),
    "Purge what has expired": Schedule(
        "accounts.purge_expired",
        "Deletes one-time codes and sign-in sessions that are long over.",
        every=HOUR,
    ),
    "Purge idempotency keys": Schedule(
        "core.purge_idempotency_keys",
        "Deletes the replies kept for repeated requests after a day.",
        every=HOUR,
    ),
    "Drop unused photos": Schedule(
        "documents.drop_unused_photos",
        "Deletes photos that members sent a day ago and did not make their own.",
        every=HOUR,
    ),
    "Sweep stored files": Schedule(
        "documents.sweep_assets",
        "Deletes files that nothing refers to any more, and reports files that are missing.",
        crontab="40 3 * * *",
    ),
    "Purge old activities": Schedule(
        "metrics.purge_activities",
        "Deletes sign-in outcomes and refusals that are kept no longer.",
        every=24 * HOUR,
    ),
}
