"""Two more pages of a batch: other control figures, and one decision about all that wait for one reason."""

from __future__ import annotations

from typing import Final

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock, transactions
from bcc.core.backoffice import REFUSALS, ClubModelAdmin, actor_of, told
from documents.admin.shown import membership_line
from documents.models import ImportBatch, ImportItem
from documents.policies.reasons import sentence
from documents.services.batches import deciding, steps

MOST_LINES: Final = 500


class ControlForm(forms.Form):
    control_count = forms.IntegerField(label=gettext_lazy("Control count"), required=False, min_value=0)
    control_total = forms.DecimalField(
        label=gettext_lazy("Control total"), required=False, max_digits=16, decimal_places=2
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        error_messages={"required": gettext_lazy("Say why. It stands in the history that others read.")},
    )


def control_page(page: ClubModelAdmin[ImportBatch], request: HttpRequest, pk: int) -> HttpResponse:
    """Correct what Finance said of the batch."""
    page.require(request, "documents.upload_batch")
    batch = get_object_or_404(ImportBatch, pk=pk)
    back = page.url_of("change", batch.pk)
    form = ControlForm(
        request.POST or None,
        initial={"control_count": batch.control_count, "control_total": batch.control_total},
    )
    if request.method == "POST" and form.is_valid():
        try:
            steps.correct_control(batch=batch, by=actor_of(request), now=clock.now(), **form.cleaned_data)
        except REFUSALS as error:
            for field, detail in told(error):
                form.add_error(field if field in form.fields else None, detail)
        else:
            page.message_user(request, _("The control figures are changed."))
            return HttpResponseRedirect(back)
    context = {
        **page.admin_site.each_context(request),
        "title": _("Correct the control figures"),
        "subtitle": str(batch),
        "form": form,
        "batch": batch,
        "back": back,
        "opts": page.model._meta,
    }
    return TemplateResponse(request, "admin/documents/control.html", context)


def decide_all_page(page: ClubModelAdmin[ImportBatch], request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or discard all that wait for one reason: each is named, and at most so many at once."""
    page.require(request, "documents.upload_batch")
    batch = get_object_or_404(ImportBatch, pk=pk)
    reason_code, is_accept = request.GET.get("reason", ""), request.GET.get("decision") == "accept"
    waiting = ImportItem.objects.waiting().filter(batch=batch, reason=reason_code)
    items = list(waiting.select_related("membership").order_by("ordinal")[:MOST_LINES])

    def work(reason: str) -> str:
        decide = deciding.accept_item if is_accept else deciding.discard_item
        by, now = actor_of(request), clock.now()

        def each() -> None:
            for item in items:
                decide(item=item, by=by, now=now, reason=reason)

        transactions.run(each)
        return ngettext("One item is decided.", "%(count)d items are decided.", len(items)) % {
            "count": len(items)
        }

    title = _("Accept all of these") if is_accept else _("Leave all of these out")
    return page.ask_reason(
        request,
        work,
        title=title,
        question=str(sentence(reason_code)),
        lines=[_line(item) for item in items],
        button=title,
        back=page.url_of("change", batch.pk),
    )


def _line(item: ImportItem) -> str:
    whose = membership_line(item.membership) if item.membership is not None else item.key_read
    return f"#{item.ordinal} {whose} {'' if item.amount is None else item.amount} {item.detail}".strip()
