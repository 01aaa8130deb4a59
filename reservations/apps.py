from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReservationsConfig(AppConfig):
    name = "reservations"
    verbose_name = _("Reservations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reservations.receivers import connect
        from reservations.services.messages import register_kinds
        from reservations.services.personal_data import register_personal_data

        register_kinds()
        register_personal_data()
        connect()
