"""The queue says when a scheduled job begins and ends.

The times are the machine's: a heartbeat tells of the scheduler, whose clock ``demo_clock`` leaves alone.
Celery logs what a receiver raises and goes on, so a database that is away stops no job.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from celery.states import SUCCESS
from django.conf import settings
from django.utils import timezone

from metrics.services.job_runs import note_finished, note_started

_began: Final[dict[str, float]] = {}
_guard: Final = threading.Lock()


def note_prerun(*, task_id: str, task: Any, **_: Any) -> None:
    if task.name in _scheduled():
        with _guard:
            _began[task_id] = time.monotonic()
        note_started(name=task.name, at=timezone.now())


def note_postrun(*, task_id: str, task: Any, retval: Any, state: str | None, **_: Any) -> None:
    with _guard:
        began = _began.pop(task_id, None)
    if began is not None:
        error = retval if isinstance(retval, BaseException) else None
        took = round((time.monotonic() - began) * 1000)
        note_finished(
            name=task.name, at=timezone.now(), duration_ms=took, is_ok=state == SUCCESS, error=error
        )


def _scheduled() -> set[str]:
    return {schedule.task for schedule in settings.SCHEDULES.values()}
