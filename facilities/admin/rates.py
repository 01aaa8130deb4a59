"""Rates: shown and estimated; no payment is taken."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from facilities.admin.columns import ValidityFilter, validity_label
from facilities.models import Rate
from facilities.policies.plain_language import money


@admin.register(Rate)
class RateAdmin(ClubModelAdmin[Rate]):
    list_display = ("facility", "price", "guest_class", "for_category", "when", "validity")
    list_filter = (ValidityFilter, "guest_class", "prime_time_only", "category", "facility")
    list_select_related = ("facility", "category")
    search_fields = ("facility__name", "category__name")
    ordering = ("facility__name", "guest_class", "prime_time_only", "pk")
    save_as = True
    fieldsets = (
        (None, {"fields": ("facility", "amount", "unit")}),
        (
            gettext_lazy("Who pays it, and when"),
            {
                "fields": ("guest_class", "category", "prime_time_only"),
                "description": gettext_lazy("Without a category it is for members of all categories."),
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

    @admin.display(description=gettext_lazy("price"), ordering="amount")
    def price(self, rate: Rate) -> str:
        return f"{money(rate.amount, settings.CLUB_CURRENCY)} {rate.get_unit_display()}"

    @admin.display(description=gettext_lazy("category"), ordering="category__rank")
    def for_category(self, rate: Rate) -> str:
        return _("all") if rate.category is None else rate.category.name

    @admin.display(description=gettext_lazy("when"), ordering="prime_time_only")
    def when(self, rate: Rate) -> str:
        return _("prime time") if rate.prime_time_only else _("any time")

    @admin.display(description=gettext_lazy("dates"))
    def validity(self, rate: Rate) -> SafeString:
        return validity_label(rate, clock.today())
