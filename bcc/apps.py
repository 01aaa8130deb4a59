from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from bcc import celery

# Whoever enqueues does it through Celery's current application, so it must exist before any app
# is ready, in every process.
QUEUE = celery.app


class BccConfig(AppConfig):
    """The composition root: an app of its own, so that Django finds its commands and checks."""

    name = "bcc"
    verbose_name = _("Club")

    def ready(self) -> None:
        post_migrate.connect(give_staff_their_roles, dispatch_uid="bcc.staff_roles")


def give_staff_their_roles(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Sync the staff groups once every app's permissions are there: after the last app of a migrate."""
    # Imported once the apps are loaded: the module of the apps' own configuration is read before them.
    from accounts.services.roles import sync_roles

    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    if sender is last and using == DEFAULT_DB_ALIAS:
        create_permissions(sender, verbosity=0, using=using)
        sync_roles()
