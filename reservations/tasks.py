"""Celery's way in. Each is idempotent and right after missed ticks."""

from celery import shared_task

from bcc.core import clock
from reservations import services


@shared_task(name="reservations.expire_due")
def expire_due() -> int:
    return services.expire_due(now=clock.now())


@shared_task(name="reservations.apply_standings")
def apply_standings(membership: int | None = None) -> int:
    return services.apply_standings(membership_id=membership, now=clock.now())


@shared_task(name="reservations.send_reminders")
def send_reminders() -> int:
    return services.send_reminders(now=clock.now())


@shared_task(name="reservations.mark_no_shows")
def mark_no_shows() -> int:
    return services.mark_no_shows(now=clock.now())


@shared_task(name="reservations.complete_finished")
def complete_finished() -> int:
    return services.complete_finished(now=clock.now())
