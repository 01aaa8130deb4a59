"""How Finance's files are read: rules, patterns of names and regions of pages, each to be tried out."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core.backoffice import ClubModelAdmin
from documents.admin.region_test import region_test_page
from documents.admin.uploads import streamed
from documents.models import BatchKind, FileNamePattern, KindRule, PageRegion
from documents.parsers.names import compile_pattern
from documents.services.batches.kinds.accounts import Accounts
from documents.services.naming import check_pattern

BY_NAME: Final = (BatchKind.STATEMENT_ZIP, BatchKind.PAPERS)


@admin.register(KindRule)
class KindRuleAdmin(ClubModelAdmin[KindRule]):
    list_display = ("kind", "expected_day", "amount_limit", "outlier_factor", "needs_second_person")
    ordering = ("kind", "pk")
    fields = (
        "kind", "expected_day", "amount_limit", "outlier_factor", "needs_second_person", "download_name",
    )  # fmt: skip
    readonly_fields = ("kind",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one for each kind

    def save_model(self, request: HttpRequest, obj: KindRule, form: Any, change: bool) -> None:
        check_pattern(obj.download_name)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: KindRule | None = None) -> bool:
        return False


class PatternForm(forms.ModelForm[FileNamePattern]):
    class Meta:
        model = FileNamePattern
        fields = ("kind", "pattern", "document_kind", "sample", "position", "is_active")
        help_texts = {
            "pattern": gettext_lazy(
                "{account_no}, {period} and {number} are read, * is anything, the rest is itself in any case."
            ),
            "sample": gettext_lazy("A real file name. It is tried with the pattern when you save."),
            "position": gettext_lazy("Lower ones are tried first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("kind")
        if isinstance(field, forms.ChoiceField):
            field.choices = [(kind.value, kind.label) for kind in BY_NAME]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        pattern, sample = cleaned.get("pattern"), cleaned.get("sample")
        if pattern:
            try:
                read = compile_pattern(pattern).read(sample) if sample else {}
            except ValueError as error:
                self.add_error("pattern", str(error))
            else:
                if read is None:
                    self.add_error("sample", _("The pattern does not fit this name. Change one of them."))
        return cleaned


@admin.register(FileNamePattern)
class FileNamePatternAdmin(ClubModelAdmin[FileNamePattern]):
    form = PatternForm
    list_display = ("pattern", "kind", "document_kind", "sample", "reads", "position", "is_active")
    list_filter = ("kind", "is_active")
    ordering = ("kind", "position", "pk")
    change_form_template = "admin/documents/pattern_form.html"

    @admin.display(description=gettext_lazy("reads of the sample"))
    def reads(self, row: FileNamePattern) -> str:
        try:
            read = compile_pattern(row.pattern).read(row.sample) if row.sample else None
        except ValueError as error:
            return str(error)
        return ", ".join(f"{name}: {value}" for name, value in (read or {}).items()) or "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="documents_filenamepattern_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What a pattern reads of a name, asked while it is typed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(
            {"said": pattern_said(request.GET.get("pattern", ""), request.GET.get("sample", ""))}
        )


def pattern_said(pattern: str, sample: str) -> str:
    """One sentence: what is wrong with the pattern, what it reads, whose that is."""
    if not pattern:
        return ""
    try:
        compiled = compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    if not sample:
        return _("The pattern is in order. Give a file name to try it with.")
    read = compiled.read(sample)
    if read is None:
        return _("The pattern does not fit this name.")
    account = read.get("account_no", "")
    is_known = Accounts().find(account) is not None
    said = ", ".join(f"{name}: {value}" for name, value in read.items())
    if is_known:
        return _("It reads %(said)s. The club has this account.") % {"said": said}
    return _("It reads %(said)s. The club has no such account.") % {"said": said}


@admin.register(PageRegion)
class PageRegionAdmin(ClubModelAdmin[PageRegion]):
    list_display = ("name", "kind", "left", "top", "width", "height", "label", "position", "is_active")
    ordering = ("kind", "position", "pk")
    fields = (
        "kind", "name", ("left", "top"), ("width", "height"), "label", "position", "is_active",
    )  # fmt: skip
    change_list_template = "admin/documents/region_list.html"
    change_form_template = "admin/documents/region_form.html"

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = [(BatchKind.STATEMENT_PDF.value, BatchKind.STATEMENT_PDF.label)]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(streamed(self.try_view))
        return [path("try/", view, name="documents_pageregion_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """A sample PDF: its page with the regions drawn on it, and what was read there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return region_test_page(self, request)
