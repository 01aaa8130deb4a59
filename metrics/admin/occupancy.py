"""The occupancy report: how much was used, and what was wanted and refused; on a page and as CSV."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin
from bcc.core.exports import csv_response
from facilities.models import Facility
from metrics.models import Occupancy
from metrics.selectors.occupancy import NUMBERS, read_refusals, read_use, total_use

MAX_DAYS: Final = 366
SHOWN_DAYS: Final = 30
# Beside the dates of the form: which of the two tables, as a file.
DOWNLOAD: Final = "download"


class DateInput(forms.DateInput):
    input_type = "date"


class ReportForm(forms.Form):
    first = forms.DateField(label=gettext_lazy("From"), widget=DateInput(format="%Y-%m-%d"))
    last = forms.DateField(label=gettext_lazy("To"), widget=DateInput(format="%Y-%m-%d"))
    facility = forms.ModelChoiceField(
        Facility.objects.order_by("name", "pk"),
        label=gettext_lazy("Facility"),
        required=False,
        empty_label=gettext_lazy("All facilities"),
    )
    by_day = forms.BooleanField(label=gettext_lazy("Day by day"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first is not None and last is not None:
            if last < first:
                self.add_error("last", _("This is before the first day. Choose a later one."))
            elif (last - first).days >= MAX_DAYS:
                self.add_error("last", _("That is more than a year. Choose a shorter time."))
        return cleaned


def usual_dates(today: date) -> dict[str, date]:
    """What the page shows before anybody chose: the SHOWN_DAYS that end today."""
    return {"first": today - timedelta(days=SHOWN_DAYS - 1), "last": today}


@admin.register(Occupancy)
class OccupancyAdmin(ReadOnlyModelAdmin[Occupancy]):
    """One page instead of the list; there is no row to open."""

    ordering = ("starts_on", "pk")

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        return [path("", page, name="metrics_occupancy_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET if "first" in request.GET or "last" in request.GET else None
        form = ReportForm(asked if asked is not None else usual_dates(clock.today()))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Occupancy and unmet demand"),
            "opts": self.model._meta,
            "form": form,
            **(extra_context or {}),
        }
        if form.is_valid():
            chosen = form.cleaned_data
            facility: Facility | None = chosen["facility"]
            wish = {
                "first": chosen["first"],
                "last": chosen["last"],
                "facility_id": None if facility is None else facility.pk,
            }
            wanted = request.GET.get(DOWNLOAD)
            if wanted == "use":
                return use_as_csv(**wish)
            if wanted == "refusals":
                return refusals_as_csv(**wish)
            rows = read_use(**wish, by_day=chosen["by_day"])
            context |= {
                "rows": [(row, [getattr(row, name) for name in NUMBERS]) for row in rows],
                "headings": headings(),
                "totals": list(total_use(rows).values()),
                "refusals": read_refusals(**wish, by_day=chosen["by_day"]),
                "by_day": chosen["by_day"],
                "query": {**chosen, "facility": "" if facility is None else facility.pk},
            }
        return TemplateResponse(request, "admin/metrics/occupancy/report.html", context)


def headings() -> list[str]:
    """What stands above each of the NUMBERS."""
    return [str(Occupancy._meta.get_field(name).verbose_name) for name in NUMBERS]  # type: ignore[union-attr]  # columns all, no relation


def use_as_csv(*, first: date, last: date, facility_id: int | None) -> HttpResponseBase:
    rows = read_use(first=first, last=last, facility_id=facility_id, by_day=True)
    return csv_response(
        f"occupancy_{first}_{last}.csv",
        [_("facility"), _("date"), *headings()],
        ([row.facility, str(row.on), *(getattr(row, name) for name in NUMBERS)] for row in rows),
    )


def refusals_as_csv(*, first: date, last: date, facility_id: int | None) -> HttpResponseBase:
    rows = read_refusals(first=first, last=last, facility_id=facility_id, by_day=True)
    return csv_response(
        f"unmet_demand_{first}_{last}.csv",
        [_("facility"), _("date"), _("rule"), _("times refused"), _("members")],
        ([row.facility, str(row.on), row.rule, row.times, row.members] for row in rows),
    )
