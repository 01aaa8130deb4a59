"""Documents: found and looked at; read and withdrawn each by a permission of its own, and written down."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin, actor_of
from bcc.core.errors import NotFoundError
from documents.models import AccessKind, Document, DocumentAccess, Publication
from documents.services.naming import download_name
from documents.services.reading import note_access
from documents.services.statements import withdraw_document
from documents.views.files import file_response, gives_bytes

READ: Final = "documents.read_document"
WITHDRAW: Final = "documents.withdraw_document"


@admin.register(Document)
class DocumentAdmin(ReadOnlyModelAdmin[Document]):
    list_display = ("period", "kind", "number", "membership", "state", "version", "published_at")
    list_filter = ("state", "kind", "period")
    list_select_related = ("membership",)
    search_fields = ("membership__account_no", "number", "membership__members__last_name")
    search_help_text = gettext_lazy("Account number, number of the document, or last name.")
    ordering = ("-period", "-pk")
    fieldsets = (
        (None, {"fields": ("membership", "kind", "period", "number", "state", "version", "actions_here")}),
        (gettext_lazy("File"), {"fields": ("saved_as", "size", "pages", "media_type", "sha256")}),
        (
            gettext_lazy("History"),
            {"fields": ("created_at", "published_at", "ended_at", "ended_by", "end_reason", "readings")},
        ),
    )
    readonly_fields = ("saved_as", "size", "media_type", "actions_here", "readings")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/download/", view(self.download_view), name="documents_document_download"),
            path("<int:pk>/withdraw/", view(self.withdraw_view), name="documents_document_withdraw"),
            *super().get_urls(),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # What may be done here differs by who looks: the field below has no request of its own.
        if obj is not None:
            obj.allowed = {name for name in (READ, WITHDRAW) if request.user.has_perm(name)}
        return super().get_form(request, obj, change, **kwargs)

    # -------------------------------------------------------------------------------------- fields

    @admin.display(description=gettext_lazy("saved as"))
    def saved_as(self, row: Document) -> str:
        return download_name(row)

    @admin.display(description=gettext_lazy("size"))
    def size(self, row: Document) -> str:
        return str(filesizeformat(row.asset.size))

    @admin.display(description=gettext_lazy("type"))
    def media_type(self, row: Document) -> str:
        return row.asset.media_type

    @admin.display(description=gettext_lazy("what to do"))
    def actions_here(self, row: Document) -> SafeString | str:
        allowed: set[str] = getattr(row, "allowed", set())
        links = []
        if READ in allowed:
            links.append((self.url_of("download", row.pk), _("Download")))
        if WITHDRAW in allowed and row.state == Publication.PUBLISHED:
            links.append((self.url_of("withdraw", row.pk), _("Withdraw…")))
        buttons = [format_html('<a class="button" href="{}">{}</a>', url, text) for url, text in links]
        note = _("A download is written down, and its member sees who read it and when.")
        if READ not in allowed:
            return buttons[0] if buttons else _("Your role may look at this page and no further.")
        return format_html('{}<br><span class="quiet">{}</span>', SafeString(" ".join(buttons)), note)

    @admin.display(description=gettext_lazy("readings"))
    def readings(self, row: Document) -> SafeString:
        page = reverse("admin:documents_documentaccess_changelist")
        return format_html(
            '<a href="{}?document__id__exact={}">{}</a>', page, row.pk, str(row.accesses.count())
        )

    # --------------------------------------------------------------------------------------- pages

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The file, for staff who may read it; the reading is written down before it leaves."""
        if not request.user.has_perm(READ):
            raise PermissionDenied
        document = self._find(pk)
        try:
            response = file_response(request, document.asset, name=download_name(document))
        except NotFoundError:
            text = _("Storage has lost this file. Tell whoever keeps the backups.")
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(self.url_of("change", pk))
        if request.method == "GET" and gives_bytes(response):
            note_access(
                document_id=document.pk,
                user_id=request.user.pk,
                is_staff=True,
                kind=AccessKind.DOWNLOAD,
                now=clock.now(),
            )
        return response

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why, and takes the document back."""
        if not request.user.has_perm(WITHDRAW):
            raise PermissionDenied
        document = self._find(pk)

        def work(reason: str) -> str:
            withdraw_document(document=document, by=actor_of(request), reason=reason, now=clock.now())
            return _("It is withdrawn. The member no longer finds it.")

        return self.ask_reason(
            request,
            work,
            title=_("Withdraw"),
            question=_("The member will no longer find this document, and its links end at once. Why?"),
            lines=[f"{document}, {document.membership.account_no}"],
            back=self.url_of("change", pk),
        )

    def _find(self, pk: int) -> Document:
        if pk > 2**63 - 1:
            raise Http404
        return get_object_or_404(Document.objects.select_related("asset", "membership"), pk=pk)


class ByWhomFilter(admin.SimpleListFilter):
    title = gettext_lazy("read by")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("staff", _("staff")), ("member", _("the household"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() in ("staff", "member"):
            return queryset.filter(is_staff=self.value() == "staff")
        return None


@admin.register(DocumentAccess)
class DocumentAccessAdmin(ReadOnlyModelAdmin[DocumentAccess]):
    """Who read what and when; nobody edits it."""

    list_display = ("at", "document", "account_no", "user", "kind", "is_staff")
    list_filter = (ByWhomFilter, "kind", "at")
    list_select_related = ("document__membership", "user")
    search_fields = ("document__membership__account_no", "user__username", "user__display_name")
    ordering = ("-pk",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "document__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("account number"))
    def account_no(self, row: DocumentAccess) -> str:
        return row.document.membership.account_no
