from celery import current_app
from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from bcc.core.checks import check_isolation


class CoreConfig(AppConfig):
    name = "bcc.core"
    label = "core"
    verbose_name = _("Core")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Celery finds tasks lazily, on the worker's import signal; a web process that only
        # enqueues by name would otherwise never know them.
        current_app.autodiscover_tasks(force=True)
        checks.register(check_isolation)
