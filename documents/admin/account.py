"""The rows of accounts: to be looked at. Batches write them, and take them back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bcc.core.backoffice import ReadOnlyModelAdmin
from documents.models import AccountEntry, Assessment, StatementSummary


class AccountRowAdmin(ReadOnlyModelAdmin[Any]):
    list_filter = ("state", "period")
    list_select_related = ("membership",)
    search_fields = ("membership__account_no", "number", "membership__members__last_name")
    search_help_text = _("Account number, number of the line, or last name.")
    ordering = ("-period", "-pk")
    exclude = ("sha256",)


@admin.register(StatementSummary)
class StatementSummaryAdmin(AccountRowAdmin):
    list_display = (
        "period", "membership", "previous", "charges", "payments", "due", "due_on", "state", "version",
    )  # fmt: skip


@admin.register(AccountEntry)
class AccountEntryAdmin(AccountRowAdmin):
    list_display = (
        "posted_on", "membership", "kind", "number", "description", "outlet", "amount", "state", "version",
    )  # fmt: skip
    ordering = ("-posted_on", "-pk")


@admin.register(Assessment)
class AssessmentAdmin(AccountRowAdmin):
    list_display = (
        "period", "membership", "number", "description", "amount", "due_on", "state", "version",
    )  # fmt: skip
