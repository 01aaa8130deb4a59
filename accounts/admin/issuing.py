"""Issuing accounts from a file: the upload, what each row would do, the progress, the slips."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import AccountImport, AccountImportRow, Member
from accounts.parsers.sheets import MAX_BYTES
from accounts.services.issuing import start_import, take_file
from accounts.services.slips import make_slips
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from bcc.core.exports import csv_response

ROWS_A_PAGE: Final = 100
Verdict = AccountImportRow.Verdict


class FileForm(forms.Form):
    """The file, as the membership office has it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or XLSX, up to 20,000 rows. The first row names the columns: account_no, category, "
            "first_name, last_name; and, where you have them, member_no, relation, birth_date, email, "
            "mobile, standing, valid_to, can_book, can_view_statements. What a file leaves empty stays."
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 8 MB. Split it."))
        return file


@admin.register(AccountImport)
class AccountImportAdmin(ReadOnlyModelAdmin[AccountImport]):
    """Nothing happens to accounts before staff have seen what a file would do, and say so."""

    list_display = ("file_name", "created_at", "uploaded_by", "state", "total", "done")
    list_filter = ("state", "created_at")
    search_fields = ("file_name", "uploaded_by")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_accountimport")

    def get_urls(self) -> list[URLPattern]:
        def own(name: str, view: Any, pattern: str) -> URLPattern:
            page: URLPattern = path(
                pattern, self.admin_site.admin_view(view), name=f"accounts_accountimport_{name}"
            )
            return page

        return [
            own("start", require_POST(self.start_view), "<int:pk>/start/"),
            own("slips", self.slips_view, "<int:pk>/slips/"),
            own("refused", self.refused_view, "<int:pk>/refused.csv"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The upload. Not the stock page: reading a file must not stand in a transaction."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                batch = take_file(
                    name=file.name, data=file.read(), by=actor_of(request).name, now=clock.now()
                )
            except REFUSALS as error:
                for _field, detail in told(error):
                    form.add_error("file", detail)
            else:
                return HttpResponseRedirect(self.url_of("change", batch.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Issue accounts from a file"),
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/accounts/accountimport/upload.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the file would do or did, row by row; while it is at work the page comes again by itself."""
        batch = self._found(request, object_id)
        counts = dict(batch.rows.values_list("verdict").annotate(n=Count("pk")))
        wanted = request.GET.get("verdict", "")
        rows = batch.rows.select_related("member").order_by("number")
        if wanted in Verdict.values:
            rows = rows.filter(verdict=wanted)
        page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": batch.file_name,
            "batch": batch,
            "percent": 100 * batch.done // max(1, batch.total),
            "counts": [(verdict.value, verdict.label, counts.get(verdict.value, 0)) for verdict in Verdict],
            "to_do": sum(counts.get(one, 0) for one in (Verdict.NEW, Verdict.CHANGED)),
            "wanted": wanted,
            "page": page,
            "may_start": self.has_add_permission(request) and batch.state == AccountImport.State.CHECKED,
            "opts": self.model._meta,
        }
        answer = TemplateResponse(request, "admin/accounts/accountimport/show.html", context)
        if batch.state == AccountImport.State.RUNNING:
            answer["Refresh"] = "2"
        return answer

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._found(request, str(pk))
        if not self.has_add_permission(request):
            raise PermissionDenied
        tells = "tell" in request.POST

        def start() -> str:
            start_import(public_id=batch.public_id, tells_members=tells, now=clock.now())
            return _("The accounts are being issued. This page follows.")

        return self.do(request, start, back=self.url_of("change", batch.pk))

    def slips_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The slips of the new members of this file who have not activated their accounts yet."""
        batch = self._found(request, str(pk))
        rows = batch.rows.filter(verdict=Verdict.NEW, member__isnull=False).order_by("number")
        members = Member.objects.select_related("user").in_bulk(
            list(rows.values_list("member_id", flat=True))
        )
        return slips_answer([members[row.member_id] for row in rows if row.member_id in members])

    def refused_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The refused rows with their reasons, to be corrected and sent again."""
        batch = self._found(request, str(pk))
        rows = list(batch.rows.filter(verdict=Verdict.REFUSED).order_by("number"))
        fields = list(dict.fromkeys(name for row in rows for name in row.values))
        lines = (
            [
                *(row.values.get(name, "") for name in fields),
                row.number,
                " ".join(f"{field}: {reason}" for field, reason in row.reasons),
            ]
            for row in rows
        )
        return csv_response("refused.csv", [*fields, "row", "reasons"], lines)

    def _found(self, request: HttpRequest, pk: str) -> AccountImport:
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = AccountImport.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
        if batch is None:
            raise Http404
        return batch


def slips_answer(members: list[Member]) -> HttpResponse:
    """The slips as a file to print."""
    answer = HttpResponse(make_slips(members), content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="activation-slips.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer
