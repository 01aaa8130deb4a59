from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat.services.personal_data import register_personal_data
        from chat.services.telling import register_kinds

        register_kinds()
        register_personal_data()
