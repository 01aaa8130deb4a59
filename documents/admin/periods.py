"""Months: who has a statement, who has none and why; closed when every gap has its reason."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Membership
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from documents.admin.shown import owners_of
from documents.models import GapReason, ImportBatch, Period, PeriodGap
from documents.selectors.completeness import HEADINGS, MISSING, UNEXPLAINED, completeness_of, gaps_of
from documents.selectors.expected import files_missing
from documents.services.periods import close_period, explain_gaps, reopen_period

UPLOAD: Final = "documents.upload_batch"
APPROVE: Final = "documents.approve_batch"
ON_A_PAGE: Final = 50


class GapForm(forms.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=GapReason.choices)
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=300, widget=forms.TextInput(attrs={"size": 40})
    )


@admin.register(Period)
class PeriodAdmin(ReadOnlyModelAdmin[Period]):
    list_display = ("period", "shown_state", "complete", "unexplained", "closed_at", "closed_by")
    list_select_related = ("closed_by",)
    ordering = ("-period", "pk")

    @admin.display(description=gettext_lazy("state"))
    def shown_state(self, row: Period) -> SafeString:
        text = _("closed") if row.is_closed else _("open")
        return format_html('<span class="state {}">{}</span>', "over" if row.is_closed else "published", text)

    @admin.display(description=gettext_lazy("with a statement"))
    def complete(self, row: Period) -> str:
        found = completeness_of(row.period)
        return _("%(complete)d of %(active)d") % {
            "complete": found.counts["complete"],
            "active": found.active,
        }

    @admin.display(description=gettext_lazy("gaps without a reason"))
    def unexplained(self, row: Period) -> str | SafeString:
        count = completeness_of(row.period).unexplained
        return format_html('<span class="warn">{}</span>', count) if count else "–"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/change/", wrap(self.period_view), name="documents_period_change"),
            path("<int:pk>/explain/", wrap(self.explain_view), name="documents_period_explain"),
            path("<int:pk>/close/", wrap(self.close_view), name="documents_period_close"),
            path("<int:pk>/reopen/", wrap(self.reopen_view), name="documents_period_reopen"),
            *super().get_urls(),
        ]

    def period_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every active membership under one heading, and what is to be done about the gaps."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        period = get_object_or_404(Period.objects.select_related("closed_by"), pk=pk)
        return self._page(request, period, GapForm())

    def _page(self, request: HttpRequest, period: Period, form: GapForm) -> HttpResponse:
        found = completeness_of(period.period)
        heading = request.GET.get("show", "")
        if heading not in HEADINGS:
            heading = next((one for one in reversed(UNEXPLAINED) if found.counts[one]), MISSING)
        rows = Paginator(gaps_of(period.period).filter(heading=heading), ON_A_PAGE)
        page = rows.get_page(request.GET.get("p", 1))
        memberships = list(page.object_list)
        ids = [one.pk for one in memberships]
        owners = owners_of(ids)
        gaps = {
            one.membership_id: one
            for one in PeriodGap.objects.filter(period=period, membership_id__in=ids).select_related(
                "explained_by"
            )
        }
        user: Any = request.user
        context = {
            **self.admin_site.each_context(request),
            "title": _("Month %(period)s") % {"period": period.period},
            "opts": self.model._meta,
            "period": period,
            "found": found,
            "headings": [
                {
                    "name": name,
                    "label": label,
                    "count": found.counts[name],
                    "is_chosen": name == heading,
                    "is_open": name in UNEXPLAINED and bool(found.counts[name]),
                }
                for name, label in HEADINGS.items()
            ],
            "heading": heading,
            "heading_label": HEADINGS[heading],
            "page": page,
            "rows": [
                {"membership": one, "owner": owners.get(one.pk, ""), "gap": gaps.get(one.pk)}
                for one in memberships
            ],
            "form": form,
            "may_explain": user.has_perm(UPLOAD) and not period.is_closed and heading != "complete",
            "may_close": user.has_perm(APPROVE),
            "batches": ImportBatch.objects.filter(period=period.period).order_by("-created_at", "-pk"),
            "missing": [one for one in files_missing(clock.today()) if one.period == period.period],
            "in_hand": ImportBatch.objects.in_hand().filter(period=period.period).count(),
        }
        return TemplateResponse(request, "admin/documents/period.html", context)

    def explain_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say why the memberships that were ticked have no statement."""
        self._require(request, UPLOAD)
        period = get_object_or_404(Period, pk=pk)
        back = f"{self.url_of('change', period.pk)}?show={request.GET.get('show', '')}"
        if request.method != "POST":
            return HttpResponseRedirect(back)
        form = GapForm(request.POST)
        chosen = list(Membership.objects.filter(pk__in=_numbers(request.POST.getlist("membership"))))
        if not chosen:
            form.is_valid()
            form.add_error(None, _("Tick the memberships first."))
        elif form.is_valid():
            try:
                count = explain_gaps(
                    period=period,
                    memberships=chosen,
                    by=actor_of(request),
                    now=clock.now(),
                    **form.cleaned_data,
                )
            except REFUSALS as error:
                for field, detail in told(error):
                    form.add_error(field if field in form.fields else None, detail)
            else:
                said = ngettext("One gap is explained.", "%(count)d gaps are explained.", count)
                self.message_user(request, said % {"count": count})
                return HttpResponseRedirect(back)
        return self._page(request, period, form)

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require(request, APPROVE)
        period = get_object_or_404(Period, pk=pk)
        found = completeness_of(period.period)

        def work(reason: str) -> str:
            close_period(period=period, by=actor_of(request), now=clock.now())
            self.log_change(request, period, _("Closed: %(reason)s") % {"reason": reason})
            return _("%(period)s is closed. No batch is published into it any more.") % {"period": period}

        return self.ask_reason(
            request,
            work,
            title=_("Close %(period)s") % {"period": period},
            question=_(
                "A closed month takes no batch, and none of its is rolled back. You can open it again."
            ),
            lines=[f"{found.counts[name]} {label}" for name, label in HEADINGS.items()],
            back=self.url_of("change", period.pk),
        )

    def reopen_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require(request, APPROVE)
        period = get_object_or_404(Period, pk=pk)

        def work(reason: str) -> str:
            reopen_period(period=period, by=actor_of(request))
            self.log_change(request, period, _("Opened again: %(reason)s") % {"reason": reason})
            return _("%(period)s is open again.") % {"period": period}

        return self.ask_reason(
            request,
            work,
            title=_("Open %(period)s again") % {"period": period},
            question=_("Batches can be published into it and rolled back again. Say why."),
            back=self.url_of("change", period.pk),
        )

    def _require(self, request: HttpRequest, permission: str) -> None:
        user: Any = request.user
        if not user.has_perm(permission):
            raise PermissionDenied


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit()]
