"""What Celery calls. Each may be run twice, or be dropped: the rows decide."""

from __future__ import annotations

from celery import shared_task

from bcc.core import clock
from documents.services import images


@shared_task(name="documents.drop_unused_photos")
def drop_unused_photos() -> int:
    """Delete photos that nobody made their own. Returns how many."""
    return images.drop_unused_photos(now=clock.now())
