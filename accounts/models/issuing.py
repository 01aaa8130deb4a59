"""Files of accounts to issue, row by row: what each would do, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.membership import Member
from bcc.core.models import PublicModel


class AccountImportQuerySet(models.QuerySet["AccountImport"]):
    def unattended(self, at: datetime) -> Self:
        """Running ones that nobody works on: begun by nobody yet, or left behind with their lease."""
        return self.filter(state=AccountImport.State.RUNNING, leased_until__lte=at)


class AccountImport(PublicModel):
    """One file as it was read. CHECKED shows what it would do; RUNNING issues; DONE has done it.

    ``leased_until`` is the lease of whoever works on it. The database is the queue.
    """

    class State(models.TextChoices):
        CHECKED = "CHECKED", _("to be looked at")
        RUNNING = "RUNNING", _("issuing")
        DONE = "DONE", _("done")

    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    uploaded_by = models.CharField(_("uploaded by"), max_length=150)
    created_at = models.DateTimeField(_("uploaded at"))
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.CHECKED)
    tells_members = models.BooleanField(_("members are told"), default=False)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("rows done"), default=0)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = AccountImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of accounts")
        verbose_name_plural = _("imports of accounts")

    def __str__(self) -> str:
        return self.file_name


class AccountImportRow(models.Model):
    """One row. ``verdict`` is what it would do, and after ``applied_at`` what it did."""

    class Verdict(models.TextChoices):
        NEW = "new", _("new")
        CHANGED = "changed", _("changed")
        SAME = "same", _("nothing to do")
        REFUSED = "refused", _("refused")

    batch = models.ForeignKey(AccountImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    values = models.JSONField(_("as read"), default=dict)
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict)
    reasons = models.JSONField(_("reasons"), default=list)
    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("member")
    )
    applied_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        constraints = (models.UniqueConstraint(fields=("batch", "number"), name="accounts_import_row_once"),)

    def __str__(self) -> str:
        return f"{self.batch}: {self.number}"
