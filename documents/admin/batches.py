"""Finance's batches: uploaded, watched, decided about, published and taken back, each step on one page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from bcc.core.exports import csv_response
from documents.admin import batch_steps, outgoing
from documents.admin.batch_forms import control_page, decide_all_page
from documents.admin.next_step import Viewer, is_reconciled, next_step
from documents.admin.shown import shown_items, steps_of
from documents.admin.uploads import CorrectionForm, UploadForm, delivered, streamed, was_cut
from documents.models import BatchSource, ImportBatch, ImportItem
from documents.policies.batches import WORKED, BatchState, Decision, Outcome
from documents.policies.reasons import sentence
from documents.selectors.batches import counts_of
from documents.selectors.error_file import error_rows
from documents.selectors.expected import files_missing
from documents.services.batches.kinds import HANDLERS, handler_of, rule_of
from documents.services.batches.receive import add_corrections, receive_batch
from documents.services.batches.steps import end_trial

UPLOAD: Final = "documents.upload_batch"
APPROVE: Final = "documents.approve_batch"
ON_A_PAGE: Final = 25
# The filters of the items, as the page has them.
SHOWN: Final[dict[str, tuple[Any, Q]]] = {
    "waiting": (gettext_lazy("Waiting"), Q(outcome=Outcome.QUARANTINED) & ~Q(decision=Decision.DISCARD)),
    "open": (gettext_lazy("To publish"), Q(outcome=Outcome.OPEN)),
    "filed": (gettext_lazy("Published"), Q(outcome=Outcome.FILED)),
    "duplicate": (gettext_lazy("Duplicates"), Q(outcome=Outcome.DUPLICATE)),
    "discarded": (gettext_lazy("Left out"), Q(outcome=Outcome.QUARANTINED, decision=Decision.DISCARD)),
    "decided": (gettext_lazy("Decided by a person"), ~Q(decision=Decision.NONE)),
}


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyModelAdmin[ImportBatch]):
    list_display = (
        "listed_title",
        "kind",
        "period",
        "shown_state",
        "item_count",
        "waiting_count",
        "created_at",
    )
    list_filter = ("state", "kind", "period")
    search_fields = ("title", "period")
    ordering = ("-created_at", "-pk")
    change_list_template = "admin/documents/batch_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        waits = Q(items__outcome=Outcome.QUARANTINED) & ~Q(items__decision=Decision.DISCARD)
        return super().get_queryset(request).annotate(waiting=Count("items", filter=waits))

    @admin.display(description=gettext_lazy("batch"), ordering="title")
    def listed_title(self, row: ImportBatch) -> str:
        return row.title

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, row: ImportBatch) -> SafeString:
        trial = format_html(' <span class="state draft">{}</span>', _("trial")) if row.is_trial else ""
        return format_html(
            '<span class="state batch-{}">{}</span>{}', row.state.lower(), row.get_state_display(), trial
        )

    @admin.display(description=gettext_lazy("items"))
    def item_count(self, row: ImportBatch) -> int:
        return row.total

    @admin.display(description=gettext_lazy("waiting"))
    def waiting_count(self, row: Any) -> str | SafeString:
        return format_html('<span class="warn">{}</span>', row.waiting) if row.waiting else "–"

    # ------------------------------------------------------------------------------- permissions

    def has_add_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm(UPLOAD))

    def viewer(self, request: HttpRequest, batch: ImportBatch) -> Viewer:
        user: Any = request.user
        return Viewer(
            may_upload=user.has_perm(UPLOAD),
            may_approve=user.has_perm(APPROVE),
            is_uploader=batch.uploader_id == user.pk and rule_of(batch.kind).needs_second_person,
        )

    # -------------------------------------------------------------------------------------- pages

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            return path(route, wrapped, name=f"documents_importbatch_{name}")

        steps = [
            page(f"<int:pk>/{name}/", step.bound_to(self), name) for name, step in batch_steps.STEPS.items()
        ]
        return [
            page("add/", streamed(self.upload_view), "add"),
            page("<int:pk>/change/", self.batch_view, "change"),
            page("<int:pk>/progress/", self.progress_view, "progress"),
            page("<int:pk>/control/", partial(control_page, self), "control"),
            page("<int:pk>/decide/", partial(decide_all_page, self), "decide"),
            page("<int:pk>/errors/", self.errors_view, "errors"),
            page("<int:pk>/corrections/", streamed(self.corrections_view), "corrections"),
            page("<int:pk>/archive/", partial(outgoing.archive_page, self), "archive"),
            page("<int:pk>/render/", partial(outgoing.render_page, self), "render"),
            *steps,
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"missing": files_missing(clock.today()), **(extra_context or {})}
        return super().changelist_view(request, context)

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """One delivery: its kind, its month, its files. The same once more leads to the batch there is."""
        self.require(request, UPLOAD)
        if request.method == "POST":
            form = UploadForm(request.POST, request.FILES, was_cut=was_cut(request))
            if form.is_valid():
                given = form.cleaned_data
                try:
                    received = receive_batch(
                        kind=given["kind"],
                        period=given["period"],
                        files=delivered(given["deliveries"]),
                        source=BatchSource.UPLOAD,
                        by=actor_of(request),
                        now=clock.now(),
                        control_count=given["control_count"],
                        control_total=given["control_total"],
                        is_trial=given["is_trial"],
                    )
                except REFUSALS as error:
                    for field, detail in told(error):
                        form.add_error(field if field in form.fields else None, detail)
                else:
                    return self._after_upload(request, received.batch, received.is_new, given["is_trial"])
        else:
            form = UploadForm(
                initial={"period": request.GET.get("period", ""), "kind": request.GET.get("kind")}
            )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Upload files of Finance"),
            "form": form,
            "opts": self.model._meta,
            "kinds": [(handler.kind.label, handler.expects) for handler in HANDLERS.values()],
        }
        return TemplateResponse(request, "admin/documents/upload.html", context)

    def _after_upload(
        self, request: HttpRequest, batch: ImportBatch, is_new: bool, is_trial: bool
    ) -> HttpResponse:
        if is_new:
            self.message_user(request, _("The files are here. They are being read and checked."))
        else:
            if batch.is_trial and not is_trial:
                end_trial(batch=batch, by=actor_of(request), now=clock.now())
            self.message_user(
                request, _("These very files are here already, and this is their batch. Nothing was changed.")
            )
        return HttpResponseRedirect(self.url_of("change", batch.pk))

    def corrections_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, UPLOAD)
        batch = get_object_or_404(ImportBatch, pk=pk)
        form = CorrectionForm(None)
        if request.method == "POST":
            form = CorrectionForm(request.POST, request.FILES, was_cut=was_cut(request))
            if form.is_valid():
                files = delivered(form.cleaned_data["deliveries"])
                try:
                    add_corrections(batch=batch, files=files, by=actor_of(request), now=clock.now())
                except REFUSALS as error:
                    for _field, detail in told(error):
                        form.add_error(None, detail)
                else:
                    self.message_user(request, _("The corrected rows are being read."))
                    return HttpResponseRedirect(self.url_of("change", batch.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Bring back corrected rows"),
            "subtitle": str(batch),
            "form": form,
            "batch": batch,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/documents/corrections.html", context)

    def batch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Where the batch stands, what to do next, what is in it, and how it came there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch.objects.select_related("uploader", "approver"), pk=pk)
        counts, viewer = counts_of(batch), self.viewer(request, batch)
        is_live = BatchState(batch.state) in WORKED
        items = batch.items.select_related("membership", "file", "found", "decided_by").order_by("ordinal")
        shown = request.GET.get("show", "")
        if not shown and counts.waiting and batch.state == BatchState.REVIEW:
            shown = "waiting"
        wanted = items.filter(SHOWN[shown][1]) if shown in SHOWN else items
        reason = request.GET.get("reason", "")
        if reason:
            wanted = wanted.filter(reason=reason)
        if sought := request.GET.get("q", "").strip():
            wanted = wanted.filter(
                Q(key_read__icontains=sought)
                | Q(membership__account_no__icontains=sought)
                | Q(source_name__icontains=sought)
            )
        page = Paginator(wanted, ON_A_PAGE).get_page(request.GET.get("p", 1))
        query = request.GET.copy()
        query.pop("p", None)
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(f"{batch.get_kind_display()} {batch.period}".strip()),
            "subtitle": batch.title,
            "opts": self.model._meta,
            "batch": batch,
            "counts": counts,
            "viewer": viewer,
            "step": next_step(batch, counts, viewer),
            "steps": steps_of(batch),
            "is_live": is_live,
            "is_reconciled": is_reconciled(batch, counts),
            "buttons": batch_steps.buttons(self, batch, counts, viewer),
            "reasons": self._reasons(batch),
            "filters": self._filters(batch, counts, shown),
            "shown": shown,
            "reason": reason,
            "q": sought,
            "page": page,
            "query": query.urlencode(),
            "rows": shown_items(page.object_list),
            "files": batch.files.select_related("asset").order_by("ordinal"),
            "events": batch.events.order_by("-pk"),
            "can_correct": bool(handler_of(batch.kind).error_columns)
            and viewer.may_upload
            and batch.state in (BatchState.REVIEW, BatchState.PUBLISHED),
            # Before that a part of it is there, and no figure can agree.
            "is_read": batch.state != BatchState.RECEIVED,
            "is_papers": not handler_of(batch.kind).error_columns,
            **outgoing.offers(request, batch),
        }
        return TemplateResponse(request, "admin/documents/batch.html", context)

    def _reasons(self, batch: ImportBatch) -> list[dict[str, Any]]:
        waiting = ImportItem.objects.waiting().filter(batch=batch)
        rows = waiting.values("reason", "severity").annotate(count=Count("pk")).order_by("-count", "reason")
        return [{**row, "text": sentence(row["reason"])} for row in rows]

    def _filters(self, batch: ImportBatch, counts: Any, shown: str) -> list[dict[str, Any]]:
        numbers = {
            "waiting": counts.waiting,
            "open": counts.open,
            "filed": counts.filed,
            "duplicate": counts.duplicate,
            "discarded": counts.discarded,
            "decided": batch.items.exclude(decision=Decision.NONE).count(),
        }
        every = {"name": "all", "label": _("All"), "count": counts.total, "is_chosen": shown not in SHOWN}
        return [
            every,
            *(
                {"name": name, "label": label, "count": numbers[name], "is_chosen": shown == name}
                for name, (label, _condition) in SHOWN.items()
            ),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the page asks while a worker has the batch."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch, pk=pk)
        return JsonResponse(
            {
                "state": batch.state,
                "label": str(batch.get_state_display()),
                "done": batch.done,
                "total": batch.total,
                "is_live": BatchState(batch.state) in WORKED,
            }
        )

    def errors_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The error file: what waits, as it came, with the reasons."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch, pk=pk)
        handler = handler_of(batch.kind)
        columns = list(handler.error_columns)
        titles = [handler.title_of(name) for name in columns]
        titles = titles or [_("File"), _("Name in the file"), _("Pages"), _("Account as read")]
        heading = ["Item", *titles, _("What to do"), _("Found")]
        name = f"{batch.kind}-{batch.period or 'list'}-{_('to-correct')}.csv"
        return csv_response(name, heading, error_rows(batch, columns))
