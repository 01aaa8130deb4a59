"""Prime time: one row a weekday, and a form that makes those of several days at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from facilities.admin.columns import ValidityFilter, scope_text, validity_label
from facilities.models import PrimeTime, Weekday


class NewBandForm(forms.ModelForm[PrimeTime]):
    """A band on the days that are ticked. Each becomes a row, to be changed alone later."""

    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days"),
        choices=Weekday.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("“Holiday” replaces the weekday's bands on a confirmed holiday."),
    )

    class Meta:
        model = PrimeTime
        fields = ("name", "facility", "kind", "starts", "ends", "valid_from", "valid_until")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if days := cleaned.get("days"):
            self.instance.weekday = days[0]
        return cleaned


@admin.register(PrimeTime)
class PrimeTimeAdmin(ClubModelAdmin[PrimeTime]):
    list_display = ("name", "scope", "weekday", "band", "validity")
    list_filter = (ValidityFilter, "kind", "weekday")
    list_select_related = ("facility",)
    search_fields = ("name", "facility__name")
    ordering = ("name", "weekday", "starts", "pk")

    def get_form(
        self, request: HttpRequest, obj: PrimeTime | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if not change:
            kwargs["form"] = NewBandForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: PrimeTime | None = None) -> Any:
        day = "days" if obj is None else "weekday"
        return (
            (None, {"fields": ("name", "facility", "kind")}),
            (
                _("Time"),
                {
                    "fields": (day, "starts", "ends"),
                    "description": _("By the club's clock; a booking is in prime time if it starts in it."),
                },
            ),
            (
                _("Dates"),
                {
                    "fields": ("valid_from", "valid_until"),
                    "description": _("Both are included; without them it holds always."),
                },
            ),
        )

    def save_model(self, request: HttpRequest, obj: PrimeTime, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        more = [] if change else form.cleaned_data["days"][1:]
        shared = ("name", "facility", "kind", "starts", "ends", "valid_from", "valid_until")
        for weekday in more:
            values = {name: getattr(obj, name) for name in shared}
            self.log_addition(request, PrimeTime.objects.create(weekday=weekday, **values), [{"added": {}}])
        if more:
            text = ngettext("%(n)d more day was added.", "%(n)d more days were added.", len(more))
            self.message_user(request, text % {"n": len(more)})

    @admin.display(description=gettext_lazy("for"), ordering="facility__name")
    def scope(self, row: PrimeTime) -> str:
        return scope_text(row)

    @admin.display(description=gettext_lazy("time"), ordering="starts")
    def band(self, row: PrimeTime) -> str:
        return f"{row.starts:%H:%M}–{row.ends:%H:%M}"

    @admin.display(description=gettext_lazy("dates"))
    def validity(self, row: PrimeTime) -> SafeString:
        return validity_label(row, clock.today())
