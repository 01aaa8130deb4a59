"""What Celery calls. Each may be run twice, or be dropped: the rows decide."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.services import issuing, outbox, privacy, staff_messages, upkeep
from bcc.core import clock

# A sweep ends after so many batches; the next one comes within a minute.
MAX_BATCHES = 20


@shared_task(name="accounts.send_notification")
def send_notification(notification: str) -> None:
    """Send one row of the outbox, named by its public id."""
    outbox.send_notification(public_id=UUID(notification), now=clock.now())


@shared_task(name="accounts.send_notifications")
def send_notifications(notifications: list[str]) -> None:
    """Send several rows of the outbox that one change has written."""
    for public_id in notifications:
        outbox.send_notification(public_id=UUID(public_id), now=clock.now())


@shared_task(name="accounts.send_due_notifications")
def send_due_notifications() -> int:
    """Send what is due: put off, planned for now, or left behind. Returns how many were sent."""
    sent = 0
    for _batch in range(MAX_BATCHES):
        due = outbox.due_notifications(now=clock.now())
        for public_id in due:
            sent += outbox.send_notification(public_id=public_id, now=clock.now())
        if len(due) < outbox.BATCH:
            break
    return sent


@shared_task(name="accounts.purge_expired")
def purge_expired() -> int:
    """Delete codes, sessions and unanswered devices that are long over."""
    return upkeep.purge_expired(now=clock.now())


@shared_task(name="accounts.run_import")
def run_import(batch: str) -> bool:
    """Carry on one import of accounts; whether it is done."""
    return issuing.carry_on(public_id=UUID(batch))


@shared_task(name="accounts.run_imports")
def run_imports() -> int:
    """Carry on the imports that nobody works on: their nudge was lost, or their worker. Returns how many."""
    waiting = issuing.find_unattended(now=clock.now())
    for public_id in waiting:
        issuing.carry_on(public_id=public_id)
    return len(waiting)


@shared_task(name="accounts.send_staff_messages")
def send_staff_messages() -> int:
    """Send the messages of staff whose time has come. Returns how many members were told."""
    return staff_messages.send_due(now=clock.now())


@shared_task(name="accounts.apply_retention")
def apply_retention() -> int:
    """Delete what is kept no longer. Returns how many rows went."""
    return sum(privacy.apply_retention(now=clock.now()).values())
