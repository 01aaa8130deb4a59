"""One item of a batch: its page beside the member it will go to, and what a person decides about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from bcc.core.errors import NotFoundError
from documents.admin.shown import fields_of, membership_line, outcome_text, owners_of, raw_fields, reason_text
from documents.models import ImportItem, Severity
from documents.policies.batches import BatchState, Decision, Outcome
from documents.services.batches import deciding
from documents.services.batches.kinds.accounts import Accounts
from documents.services.batches.previews import picture_of

UPLOAD = "documents.upload_batch"


class DecisionForm(forms.Form):
    """One of four, with a reason; which one is the button that was pressed."""

    account_no = forms.CharField(
        label=gettext_lazy("Give it to account"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"size": 18, "autocomplete": "off", "list": "accounts"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"size": 60}),
        error_messages={"required": gettext_lazy("Say why. It stands in the history that others read.")},
    )

    def __init__(self, *args: Any, decision: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._decision = decision

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if self._decision == Decision.REASSIGN:
            text = cleaned.get("account_no", "")
            pk = Accounts().find(text) if text else None
            if pk is None:
                self.add_error("account_no", _("There is no such account. Look it up under Memberships."))
            else:
                cleaned["membership"] = Membership.objects.get(pk=pk)
        return cleaned


@admin.register(ImportItem)
class ImportItemAdmin(ReadOnlyModelAdmin[ImportItem]):
    """The list is every item of every batch, to look for an account's; a batch's own page has its own."""

    list_display = ("ordinal", "batch", "membership", "key_read", "amount", "outcome", "reason", "decision")
    list_filter = ("outcome", "severity", "decision", "batch__kind", "batch__period")
    list_select_related = ("batch", "membership")
    search_fields = ("membership__account_no", "key_read", "source_name", "number")
    search_help_text = gettext_lazy("Account number, file name, or number of a document.")
    ordering = ("-batch_id", "ordinal", "pk")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/change/", wrap(self.item_view), name="documents_importitem_change"),
            path("<int:pk>/page/<int:page>/", wrap(self.page_view), name="documents_importitem_page"),
            *super().get_urls(),
        ]

    def page_view(self, request: HttpRequest, pk: int, page: int) -> HttpResponse:
        """The picture of a page, for whoever may look at batches."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        item = get_object_or_404(ImportItem.objects.select_related("file__asset"), pk=pk)
        user: Any = request.user
        width = 800 if request.GET.get("large") else 240
        try:
            picture = picture_of(item=item, page=page, width=width, user_id=user.pk, now=clock.now())
        except NotFoundError as error:
            raise Http404 from error
        answer = HttpResponse(picture, content_type="image/webp")
        answer["Cache-Control"] = "private, max-age=600"
        return answer

    def item_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look, and decide: accept, give to another account, leave out, or take that back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = ImportItem.objects.select_related(
            "batch", "file", "membership__category", "found", "decided_by"
        )
        item = get_object_or_404(chosen, pk=pk)
        user: Any = request.user
        may_decide = user.has_perm(UPLOAD) and item.batch.state == BatchState.REVIEW
        decision = request.POST.get("decision", "")
        form = DecisionForm(request.POST or None, decision=decision)
        if request.method == "POST":
            if not user.has_perm(UPLOAD):
                raise PermissionDenied
            if form.is_valid():
                try:
                    said = self._decide(request, item, decision, form.cleaned_data)
                except REFUSALS as error:
                    for field, detail in told(error):
                        form.add_error(field if field in form.fields else None, detail)
                else:
                    self.message_user(request, said)
                    return HttpResponseRedirect(self._next_url(item))
        return TemplateResponse(
            request, "admin/documents/item.html", self._context(request, item, form, may_decide)
        )

    def _decide(self, request: HttpRequest, item: ImportItem, decision: str, given: dict[str, Any]) -> str:
        by, now, reason = actor_of(request), clock.now(), given["reason"]
        if decision == Decision.ACCEPT:
            deciding.accept_item(item=item, by=by, now=now, reason=reason)
            return _("Item #%(number)d is accepted.") % {"number": item.ordinal}
        if decision == Decision.REASSIGN:
            membership = given["membership"]
            after = deciding.reassign_item(item=item, membership=membership, by=by, now=now, reason=reason)
            told_so = {"number": item.ordinal, "account": membership.account_no, "why": reason_text(after)}
            if after.outcome == Outcome.OPEN:
                return _("Item #%(number)d goes to %(account)s.") % told_so
            return _("Item #%(number)d goes to %(account)s, and: %(why)s") % told_so
        if decision == Decision.DISCARD:
            deciding.discard_item(item=item, by=by, now=now, reason=reason)
            return _("Item #%(number)d is left out.") % {"number": item.ordinal}
        deciding.reconsider_item(item=item, by=by, now=now, reason=reason)
        return _("The decision about item #%(number)d is taken back.") % {"number": item.ordinal}

    def _next_url(self, item: ImportItem) -> str:
        """The next one that waits, else the batch."""
        waiting = ImportItem.objects.waiting().filter(batch_id=item.batch_id)
        following = waiting.filter(ordinal__gt=item.ordinal).order_by("ordinal").first()
        following = following or waiting.exclude(pk=item.pk).order_by("ordinal").first()
        if following is not None:
            return self.url_of("change", following.pk)
        return reverse("admin:documents_importbatch_change", args=(item.batch_id,))

    def _context(
        self, request: HttpRequest, item: ImportItem, form: DecisionForm, may_decide: bool
    ) -> dict[str, Any]:
        waiting = ImportItem.objects.waiting().filter(batch_id=item.batch_id)
        waits = item.outcome == Outcome.QUARANTINED and item.decision != Decision.DISCARD
        pages = item.last_page - item.first_page + 1 if item.last_page else 0
        membership = item.membership
        return {
            **self.admin_site.each_context(request),
            "title": _("Item #%(number)d") % {"number": item.ordinal},
            "subtitle": str(item.batch),
            "opts": self.model._meta,
            "item": item,
            "batch": item.batch,
            "batch_url": reverse("admin:documents_importbatch_change", args=(item.batch_id,)),
            "form": form,
            "fields": fields_of(item),
            "has_before": any(field.before for field in fields_of(item)),
            "raw": raw_fields(item),
            "why": reason_text(item),
            "outcome": outcome_text(item),
            "owner": owners_of([membership.pk]).get(membership.pk, "") if membership else "",
            "found": membership_line(item.found) if item.found else "",
            "pages": range(1, min(pages, 4) + 1),
            "page_count": pages,
            "waits": waits,
            "can_accept": may_decide and waits and item.severity == Severity.WAITS,
            "can_reassign": may_decide and waits and "problem" not in item.values,
            "can_discard": may_decide and (waits or item.outcome == Outcome.OPEN),
            "can_reconsider": may_decide
            and item.decision != Decision.NONE
            and item.outcome != Outcome.FILED
            and item.reason not in ("replaced", "cover_page"),
            "may_decide": may_decide,
            "left": waiting.count(),
            "before_this": waiting.filter(ordinal__lt=item.ordinal).order_by("-ordinal").first(),
            "after_this": waiting.filter(ordinal__gt=item.ordinal).order_by("ordinal").first(),
        }
