"""The queues, by what waits on them, and which task goes to which.

Each has a worker of its own (docker-compose.yml), so that a thousand mails or a long import hold up nothing
that a member waits for. A worker that is started without ``--queues``, as in ``manage.py serve``, takes all.
"""

from __future__ import annotations

from kombu.entity import Exchange, Queue

__all__ = [
    "CELERY_TASK_CREATE_MISSING_QUEUES",
    "CELERY_TASK_DEFAULT_QUEUE",
    "CELERY_TASK_QUEUES",
    "CELERY_TASK_ROUTES",
]

# What members wait for: holds that fall due, standings, reminders, and whatever is named nowhere below.
CELERY_TASK_DEFAULT_QUEUE = "bcc"

# What talks to the mail and message servers of others, which may be slow or away.
MAIL = "mail"
# What takes minutes or may wait for the night: imports, images, reports, exports, purges.
BATCH = "batch"

# By the task's name; the first that fits.
CELERY_TASK_ROUTES = {
    "accounts.send_*": {"queue": MAIL},
    "accounts.run_import*": {"queue": BATCH},
    "*.purge_*": {"queue": BATCH},
    "*.apply_retention": {"queue": BATCH},
    "documents.*": {"queue": BATCH},
}

CELERY_TASK_QUEUES = [
    # An exchange each: on one exchange with one key a message would be in all of them.
    Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]  # kombu has no types
    for name in (CELERY_TASK_DEFAULT_QUEUE, MAIL, BATCH)
]
# A queue that nobody consumes is a task that nobody does: a name that is not above is an error.
CELERY_TASK_CREATE_MISSING_QUEUES = False
