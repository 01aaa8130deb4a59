from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models cannot be imported before the apps are loaded, and this module is read before that.
        from auditlog.registry import auditlog

        from accounts.models import (
            Member,
            Membership,
            MembershipCategory,
            MessageTemplate,
            PrivilegeHold,
            User,
        )
        from accounts.services.kinds import register_own_kinds

        register_own_kinds()
        # Who changed what of that which staff edit. Hashes and counters are nobody's edit.
        auditlog.register(
            User,
            exclude_fields=["password", "last_login", "token_version", "date_joined"],
            m2m_fields={"groups"},
        )
        auditlog.register(Membership, exclude_fields=["lock_version", "standing_changed_at"])
        for model in (Member, MembershipCategory, MessageTemplate, PrivilegeHold):
            auditlog.register(model)
