"""Strike rules: how many bring a hold, and for how long."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core.backoffice import ClubModelAdmin
from facilities.models import StrikeRule
from facilities.policies.plain_language import read_strikes


@admin.register(StrikeRule)
class StrikeRuleAdmin(ClubModelAdmin[StrikeRule]):
    list_display = ("name", "in_plain_language", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("name", "pk")
    readonly_fields = ("in_plain_language",)
    fields = ("name", "is_active", "in_plain_language", "strikes", "within_days", "hold_days")

    @admin.display(description=gettext_lazy("in plain language"))
    def in_plain_language(self, rule: StrikeRule) -> str:
        if rule._state.adding:
            return _("It is shown here once the rule is saved.")
        return read_strikes(strikes=rule.strikes, within_days=rule.within_days, hold_days=rule.hold_days)
