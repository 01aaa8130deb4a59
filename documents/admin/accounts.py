"""What members see of their account: to be looked at, never edited; Finance sends other rows."""

from __future__ import annotations

from django.contrib import admin

from bcc.core.backoffice import ReadOnlyModelAdmin
from documents.models import AccountEntry, Assessment, StatementSummary


@admin.register(StatementSummary)
class StatementSummaryAdmin(ReadOnlyModelAdmin[StatementSummary]):
    list_display = ("membership", "period", "previous", "charges", "payments", "due", "version", "state")
    list_filter = ("state", "period")
    list_select_related = ("membership",)
    search_fields = ("membership__account_no",)
    ordering = ("-period", "membership__account_no", "-version", "pk")


@admin.register(AccountEntry)
class AccountEntryAdmin(ReadOnlyModelAdmin[AccountEntry]):
    list_display = ("membership", "posted_on", "number", "description", "amount", "period", "state")
    list_filter = ("state", "kind", "period")
    list_select_related = ("membership",)
    search_fields = ("membership__account_no", "number", "description")
    ordering = ("-posted_on", "-pk")


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyModelAdmin[Assessment]):
    list_display = ("membership", "period", "description", "amount", "due_on", "version", "state")
    list_filter = ("state", "period")
    list_select_related = ("membership",)
    search_fields = ("membership__account_no", "number", "description")
    ordering = ("-period", "membership__account_no", "-version", "pk")
