from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models cannot be imported before the apps are loaded, and this module is read before that.
        from auditlog.registry import auditlog
        from django.contrib.auth.models import Group

        from accounts.models import (
            DeletionRequest,
            Member,
            Membership,
            MembershipCategory,
            MessageTemplate,
            PrivacyNotice,
            PrivilegeHold,
            StaffMessage,
            User,
        )
        from accounts.services.audiences import register_own_audiences
        from accounts.services.kinds import register_own_kinds

        register_own_kinds()
        register_own_audiences()
        # Who changed what of that which staff edit. Hashes and counters are nobody's edit.
        auditlog.register(
            User,
            exclude_fields=["password", "last_login", "token_version", "date_joined"],
            m2m_fields={"groups"},
            # That it changed is the history; the whole number stands in the account only.
            mask_fields=["mobile"],
            mask_callable="accounts.policies.identifiers.masked",
        )
        auditlog.register(Membership, exclude_fields=["lock_version", "standing_changed_at"])
        auditlog.register(StaffMessage, exclude_fields=["leased_until", "next_user_id", "told"])
        auditlog.register(Group, m2m_fields={"permissions"})
        for model in (
            DeletionRequest,
            Member,
            MembershipCategory,
            MessageTemplate,
            PrivacyNotice,
            PrivilegeHold,
        ):
            auditlog.register(model)
