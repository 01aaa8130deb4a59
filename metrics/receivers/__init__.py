"""What the apps announce, and what is made of it. Connected once, when the apps are ready."""

from __future__ import annotations

from typing import Any

from celery.signals import task_postrun, task_prerun
from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from prometheus_client import REGISTRY

from accounts import signals as accounts
from metrics.receivers import announcements, heartbeats
from metrics.receivers.collector import ClubCollector
from metrics.services.database_views import create_views, drop_views
from reservations import signals as reservations


def connect(metrics: AppConfig) -> None:
    """Listen to the apps below, to the queue and to migrate, and answer Prometheus."""
    reservations.booking_refused.connect(announcements.note_refusal, dispatch_uid="metrics.refusal")
    reservations.reservation_changed.connect(announcements.count_change, dispatch_uid="metrics.change")
    accounts.signed_in.connect(announcements.note_sign_in, dispatch_uid="metrics.sign_in")
    accounts.sign_in_failed.connect(announcements.note_failed_sign_in, dispatch_uid="metrics.failed_sign_in")
    task_prerun.connect(heartbeats.note_prerun, dispatch_uid="metrics.prerun", weak=False)
    task_postrun.connect(heartbeats.note_postrun, dispatch_uid="metrics.postrun", weak=False)
    pre_migrate.connect(take_views_away, sender=metrics, dispatch_uid="metrics.drop_views")
    post_migrate.connect(bring_views_back, sender=metrics, dispatch_uid="metrics.create_views")
    REGISTRY.register(ClubCollector())


def take_views_away(using: str, **_: Any) -> None:
    drop_views(using=using)


def bring_views_back(using: str, **_: Any) -> None:
    create_views(using=using)
