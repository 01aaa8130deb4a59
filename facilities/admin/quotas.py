"""Quota rules, each beside the sentence that members read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from facilities.admin.columns import ValidityFilter, validity_label
from facilities.models import QuotaRule
from facilities.policies.plain_language import read_quota
from facilities.selectors.policies import quota_of


@admin.register(QuotaRule)
class QuotaRuleAdmin(ClubModelAdmin[QuotaRule]):
    list_display = ("name", "in_plain_language", "for_category", "validity", "is_active")
    list_filter = ("is_active", ValidityFilter, "kind", "category")
    list_select_related = ("facility", "category")
    search_fields = ("name", "facility__name")
    ordering = ("name", "pk")
    readonly_fields = ("in_plain_language",)
    save_as = True
    fieldsets = (
        (None, {"fields": ("name", "is_active", "in_plain_language")}),
        (gettext_lazy("How much"), {"fields": ("per", "limit", "measure", "period")}),
        (
            gettext_lazy("Of what"),
            {
                "fields": ("facility", "kind", "prime_time_only", "category"),
                "description": gettext_lazy(
                    "A facility, or a kind, or neither for everything that is booked. Without a category it "
                    "holds for all."
                ),
            },
        ),
        (
            gettext_lazy("Dates"),
            {
                "fields": ("valid_from", "valid_until"),
                "description": gettext_lazy("Both are included; without them it holds always."),
            },
        ),
    )

    @admin.display(description=gettext_lazy("in plain language"))
    def in_plain_language(self, rule: QuotaRule) -> str:
        if rule._state.adding:
            return _("It is shown here once the rule is saved.")
        return read_quota(quota_of(rule)).text

    @admin.display(description=gettext_lazy("category"), ordering="category__rank")
    def for_category(self, rule: QuotaRule) -> str:
        return _("all") if rule.category is None else rule.category.name

    @admin.display(description=gettext_lazy("dates"))
    def validity(self, rule: QuotaRule) -> SafeString:
        return validity_label(rule, clock.today())
