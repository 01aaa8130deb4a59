from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bcc.core.backoffice import ClubModelAdmin
from metrics.models import JobRun
from metrics.selectors.job_runs import late_jobs


@admin.register(JobRun)
class JobRunAdmin(ClubModelAdmin[JobRun]):
    """The heartbeats; staff may only say how late is late."""

    list_display = ("name", "is_on_time", "last_started_at", "last_ok", "duration_ms", "last_error")
    ordering = ("name", "pk")
    fields = (
        "name",
        "last_started_at",
        "last_finished_at",
        "last_ok",
        "duration_ms",
        "last_error",
        "grace_seconds",
    )
    readonly_fields = tuple(name for name in fields if name != "grace_seconds")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: JobRun | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        late = [job.name for job in late_jobs(timezone.now())]
        is_late = Case(When(name__in=late, then=Value(True)), default=Value(False))
        return super().get_queryset(request).annotate(is_late=is_late)

    @admin.display(description=_("on time"), boolean=True)
    def is_on_time(self, run: JobRun) -> bool:
        return not run.is_late  # type: ignore[attr-defined]  # annotated above

    def save_model(self, request: HttpRequest, obj: JobRun, form: Any, change: bool) -> None:
        # The rest of the row is the queue's, which may have written it in the meantime.
        obj.save(update_fields=["grace_seconds"])
