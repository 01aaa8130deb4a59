from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FacilitiesConfig(AppConfig):
    name = "facilities"
    verbose_name = _("Facilities")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # By name, once the models are loaded: this module is read before them.
        import_module("facilities.receivers").connect()
