"""Opening hours and holidays: a change asks about the bookings that it leaves outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock
from bcc.core.backoffice import actor_of
from facilities.models import Facility, Holiday, OpeningPeriod, OpeningSpan, Publishing
from facilities.models.hours import Weekday
from reservations import services
from reservations.admin.deciding import DecidingAdmin, reason_in

M = TypeVar("M", bound=models.Model)


class HoursAdmin(DecidingAdmin[M]):
    """Rows by which facilities are open."""

    def change_hours(
        self, request: HttpRequest, facilities: Iterable[Facility], apply: Callable[[], None]
    ) -> None:
        """Run ``apply``, with the decisions that came along."""
        decisions = self.decisions(request)
        services.change_hours(
            facilities=list(facilities),
            apply=apply,
            decisions=decisions,
            by=actor_of(request),
            reason=reason_in(request),
            now=clock.now(),
        )
        if decisions:
            self.message_user(request, _("The bookings were kept and cancelled as you decided."))


# ---------------------------------------------------------------------------------------------- periods


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class SpanInline(admin.TabularInline[OpeningSpan, OpeningPeriod]):
    model = OpeningSpan
    fields = ("weekday", "opens", "closes", "next_day")
    ordering = ("weekday", "opens", "pk")
    formfield_overrides = {models.TimeField: {"widget": TimeInput}}
    verbose_name_plural = gettext_lazy(
        "Hours: a day without a row is closed. Midnight is 00:00 on the next day. A holiday row counts on "
        "confirmed holidays."
    )

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(Weekday) if obj is None else 1


class OverFilter(admin.SimpleListFilter):
    title = gettext_lazy("dates")
    parameter_name = "dates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("now", _("today")), ("coming", _("today and later")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = clock.today()
        not_over = Q(ends_on__isnull=True) | Q(ends_on__gte=today)
        match self.value():
            case "now":
                return queryset.filter(not_over, starts_on__lte=today)
            case "coming":
                return queryset.filter(not_over)
            case "over":
                return queryset.exclude(not_over)
        return queryset


@admin.register(OpeningPeriod)
class OpeningPeriodAdmin(HoursAdmin[OpeningPeriod]):
    list_display = ("facility", "name", "dates", "week", "priority", "override")
    list_display_links = ("facility", "name")
    list_filter = (OverFilter, "facility")
    list_select_related = ("facility",)
    search_fields = ("name", "facility__name")
    ordering = ("facility__name", "-priority", "starts_on", "pk")
    inlines = (SpanInline,)
    change_form_template = "admin/reservations/place_form.html"
    fieldsets = (
        (None, {"fields": ("facility", "name", ("starts_on", "ends_on"))}),
        (
            gettext_lazy("Where several periods cover a date"),
            {
                "fields": ("priority", "override"),
                "description": gettext_lazy(
                    "A season or a works day goes over the usual hours with a higher priority. One that does "
                    "not replace adds its hours to those below."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpeningPeriod]:
        return super().get_queryset(request).prefetch_related("spans")

    def get_readonly_fields(self, request: HttpRequest, obj: OpeningPeriod | None = None) -> tuple[str, ...]:
        # The hours of another facility are another period.
        return ("facility",) if obj is not None else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "facility":
            kwargs["queryset"] = Facility.objects.exclude(state=Publishing.RETIRED).order_by("name", "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset_kwargs(
        self, request: HttpRequest, obj: OpeningPeriod, inline: Any, prefix: str
    ) -> dict[str, Any]:
        """A new period begins with a row for each day; those left empty are not saved."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            kwargs["initial"] = [{"weekday": weekday} for weekday in Weekday.values]
        return kwargs

    # ------------------------------------------------------------------------------------------ columns

    @admin.display(description=gettext_lazy("dates"), ordering="starts_on")
    def dates(self, period: OpeningPeriod) -> str:
        first = date_format(period.starts_on, "j M Y")
        if period.ends_on is None:
            return _("from %(first)s on") % {"first": first}
        return f"{first} – {date_format(period.ends_on, 'j M Y')}"

    @admin.display(description=gettext_lazy("hours"))
    def week(self, period: OpeningPeriod) -> SafeString:
        lines = week_of(period)
        if not lines:
            return format_html('<span class="warn">{}</span>', _("closed"))
        return format_html_join("", "<div>{}: {}</div>", lines)

    # -------------------------------------------------------------------------------------- stock pages

    def save_model(self, request: HttpRequest, obj: OpeningPeriod, form: Any, change: bool) -> None:
        """Left to ``save_related``: the period and its spans are one change of the hours."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        period: OpeningPeriod = form.instance

        def apply() -> None:
            period.save()
            super(OpeningPeriodAdmin, self).save_related(request, form, formsets, change)

        self.about(request, str(period.facility), f"{period.name}: {self.dates(period)}")
        self.change_hours(request, [period.facility], apply)

    def delete_model(self, request: HttpRequest, obj: OpeningPeriod) -> None:
        self.about(request, str(obj.facility), _("Without %(name)s.") % {"name": obj.name})
        self.change_hours(request, [obj.facility], lambda: _delete(obj))


def _delete(row: models.Model) -> None:
    row.delete()


def week_of(period: OpeningPeriod) -> list[tuple[str, str]]:
    """(days, hours): neighbouring days with the same hours on one line."""
    by_day: dict[int, list[str]] = {}
    for span in sorted(period.spans.all(), key=lambda span: (span.weekday, span.opens)):
        by_day.setdefault(span.weekday, []).append(f"{span.opens:%H:%M}–{span.closes:%H:%M}")
    runs: list[list[int]] = []
    for day, hours in by_day.items():
        if runs and day != Weekday.HOLIDAY and runs[-1][-1] == day - 1 and by_day[runs[-1][-1]] == hours:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [(_days(run[0], run[-1]), ", ".join(by_day[run[0]])) for run in runs]


def _days(first: int, last: int) -> str:
    start, end = str(Weekday(first).label), str(Weekday(last).label)
    return start if first == last else f"{start} – {end}"


# --------------------------------------------------------------------------------------------- holidays


@admin.register(Holiday)
class HolidayAdmin(HoursAdmin[Holiday]):
    """Staff confirm each year's holidays; only a confirmed one counts."""

    list_display = ("on", "weekday", "name", "says")
    list_filter = ("is_confirmed",)
    search_fields = ("name",)
    ordering = ("on", "pk")
    fields = ("on", "name", "is_confirmed")
    date_hierarchy = "on"
    actions = ("confirm",)

    @admin.display(description=gettext_lazy("day"))
    def weekday(self, holiday: Holiday) -> str:
        return date_format(holiday.on, "l")

    @admin.display(description=gettext_lazy("confirmed"))
    def says(self, holiday: Holiday) -> SafeString:
        if not holiday.is_confirmed:
            return format_html('<span class="state draft">{}</span>', _("not yet, so it does not count"))
        return format_html('<span class="state in-force">{}</span>', _("yes"))

    def save_model(self, request: HttpRequest, obj: Holiday, form: Any, change: bool) -> None:
        self.about(request, day_text(obj.on, obj.name))
        self.change_hours(request, with_holiday_hours(), obj.save)

    def delete_model(self, request: HttpRequest, obj: Holiday) -> None:
        self.about(request, _("%(day)s is no holiday any more.") % {"day": day_text(obj.on, obj.name)})
        self.change_hours(request, with_holiday_hours(), lambda: _delete(obj))

    @admin.action(description=gettext_lazy("Confirm the chosen holidays"), permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Holiday]) -> HttpResponse | None:
        holidays = list(queryset.filter(is_confirmed=False))

        def apply() -> None:
            for holiday in holidays:
                holiday.is_confirmed = True
                holiday.save(update_fields=["is_confirmed"])

        self.about(request, *(day_text(holiday.on, holiday.name) for holiday in holidays))
        self.change_hours(request, with_holiday_hours(), apply)
        for holiday in holidays:
            self.log_change(request, holiday, "Confirmed.")
        text = ngettext("%(n)d holiday was confirmed.", "%(n)d holidays were confirmed.", len(holidays))
        self.message_user(request, text % {"n": len(holidays)}, messages.SUCCESS)
        return None


def day_text(on: date, name: str) -> str:
    return f"{date_format(on, 'D j M Y')}: {name}"


def with_holiday_hours() -> QuerySet[Facility]:
    """The facilities whose hours change on a holiday."""
    spans = Q(opening_periods__spans__weekday=Weekday.HOLIDAY)
    counted = Facility.objects.annotate(holiday_spans=Count("opening_periods__spans", filter=spans))
    return counted.filter(holiday_spans__gt=0).exclude(state=Publishing.RETIRED).order_by("pk")
