"""The queue's application. Tasks are found in each app's ``tasks`` module and called by name.

Celery's own name for it, ``bcc.celery:app``; it is made before Django's apps load, since whoever
enqueues by name uses the current application.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.production")

app = Celery("bcc")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_the_projects_logging(**_: Any) -> None:
    """Keep Celery from installing handlers of its own, which would print past the redaction."""
    logging.config.dictConfig(settings.LOGGING)
