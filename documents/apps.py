from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models cannot be imported before the apps are loaded, and this module is read before that.
        from auditlog.registry import auditlog
        from django.db.models.signals import post_migrate

        from documents.models import FileNamePattern, KindRule, PageRegion, Period, PeriodGap
        from documents.receivers import set_up
        from documents.services.messages import register_kinds
        from documents.services.personal_data import register_personal_data

        register_kinds()
        register_personal_data()
        # Who changed what of that which staff edit.
        for model in (FileNamePattern, KindRule, PageRegion, PeriodGap):
            auditlog.register(model)
        auditlog.register(Period, exclude_fields=["lock_version"])
        post_migrate.connect(set_up, sender=self)
