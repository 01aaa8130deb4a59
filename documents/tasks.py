"""Celery's way in. Each is idempotent and right after missed ticks."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from bcc.core import clock
from documents.isolation.folders import sweep_folders
from documents.services import images, sweeping
from documents.services.batches.work import sweep_batches as sweep
from documents.services.batches.work import work_on_public
from documents.services.dropfolder import scan_dropfolder as scan
from documents.services.expected import tell_of_missing_files


@shared_task(name="documents.drop_unused_photos")
def drop_unused_photos() -> int:
    """Delete photos that nobody made their own. Returns how many."""
    return images.drop_unused_photos(now=clock.now())


@shared_task(name="documents.expect_files")
def expect_files() -> int:
    return tell_of_missing_files(now=clock.now())


@shared_task(name="documents.scan_dropfolder")
def scan_dropfolder() -> int:
    return scan(now=clock.now()).taken


@shared_task(name="documents.sweep_batches")
def sweep_batches() -> int:
    sweep_folders()
    return sweep(tick=clock.now)


@shared_task(name="documents.work_on_batch")
def work_on_batch(batch: str) -> bool:
    return work_on_public(public_id=UUID(batch), tick=clock.now)


@shared_task(name="documents.sweep_assets")
def sweep_assets() -> int:
    """Delete what nobody names any more, and say in the log what is missing. Returns how many it deleted."""
    return sweeping.verify_assets(now=clock.now(), repair=True, thorough=False).removed
