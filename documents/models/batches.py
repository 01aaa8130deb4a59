"""What Finance sends: a batch, its files, and every item of it to its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from bcc.core.models import PublicModel
from documents.models.assets import Asset
from documents.models.documents import Document
from documents.models.periods import PeriodField
from documents.policies.batches import ABSENT, UNCOUNTED, WORKED, BatchState, Decision, Outcome


class BatchKind(models.TextChoices):
    STATEMENT_ZIP = "statement_zip", _("statements, a PDF each")
    STATEMENT_PDF = "statement_pdf", _("statements, one merged PDF")
    BALANCES = "balances", _("balances")
    ENTRIES = "entries", _("charges and chits")
    ASSESSMENTS = "assessments", _("assessments and dues")
    DELINQUENCY = "delinquency", _("delinquency list")
    MEMBER_MASTER = "member_master", _("member master")
    PAPERS = "papers", _("notices and official receipts")


class BatchSource(models.TextChoices):
    UPLOAD = "upload", _("uploaded")
    DROP_FOLDER = "drop_folder", _("drop folder")
    COMMAND = "command", _("command")


STATE_LABELS = {
    BatchState.RECEIVED: _("received"),
    BatchState.IDENTIFIED: _("read"),
    BatchState.VALIDATED: _("checked"),
    BatchState.REVIEW: _("waits for review"),
    BatchState.APPROVED: _("approved"),
    BatchState.PUBLISHING: _("being published"),
    BatchState.PUBLISHED: _("published"),
    BatchState.FAILED: _("failed"),
    BatchState.REJECTED: _("rejected"),
    BatchState.ROLLED_BACK: _("rolled back"),
}
OUTCOME_LABELS = {
    Outcome.OPEN: _("open"),
    Outcome.FILED: _("filed"),
    Outcome.QUARANTINED: _("quarantined"),
    Outcome.DUPLICATE: _("duplicate"),
}
DECISION_LABELS = {
    Decision.NONE: _("none"),
    Decision.ACCEPT: _("accepted"),
    Decision.REASSIGN: _("given to another"),
    Decision.DISCARD: _("discarded"),
}


def _choices(labels: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """Plain text in the migrations, which outlive the enums."""
    return [(str(value), label) for value, label in labels.items()]


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def to_work_on(self, at: datetime) -> Self:
        """What no worker holds at ``at``, though one should."""
        return self.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lte=at),
            Q(state__in=[str(state) for state in WORKED])
            | Q(state=BatchState.PUBLISHED, told_at__isnull=True),
        )

    def in_hand(self) -> Self:
        """What is on its way: neither over nor given up."""
        return self.filter(state__in=[str(state) for state in (*WORKED, BatchState.REVIEW)])


class ImportBatch(PublicModel):
    """One delivery of Finance. The row is the queue: who works on it holds ``lease_token`` until then.

    ``sha256`` is over the kind, the period and the sorted hashes of its files, so the same delivery again is
    this batch, whatever the files are called. ``period`` is empty for what belongs to no month (member
    master, delinquency list). ``control_count`` and ``control_total`` are what Finance says is in it. The
    counters are written by whoever holds the lease, and reconciled against the items before publication.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=BatchKind)
    period = PeriodField(_("period"), blank=True, default="")
    source = models.CharField(_("source"), max_length=16, choices=BatchSource)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(
        _("state"), max_length=16, choices=_choices(STATE_LABELS), default=BatchState.RECEIVED.value
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    control_count = models.PositiveIntegerField(_("control count"), null=True, blank=True)
    control_total = models.DecimalField(
        _("control total"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    is_trial = models.BooleanField(
        _("trial"), default=False, help_text=_("A trial stops before publication, whoever approves it.")
    )
    total = models.PositiveIntegerField(_("items"), default=0)
    done = models.PositiveIntegerField(_("items done"), default=0)
    failure_code = models.CharField(_("why it failed"), max_length=40, blank=True, default="")
    failure_detail = models.CharField(_("what to do"), max_length=500, blank=True, default="")
    lease_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("received at"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    told_at = models.DateTimeField(_("members told at"), null=True, blank=True, editable=False)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        permissions = (
            ("upload_batch", "Can upload and work on batches"),
            ("approve_batch", "Can approve and roll back batches"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[str(state) for state in BatchState]), name="documents_batch_state"
            ),
        )
        indexes = (
            models.Index(fields=("state", "lease_until"), name="documents_batch_queue"),
            models.Index(fields=("kind", "period", "state"), name="documents_batch_period"),
        )

    def __str__(self) -> str:
        return self.title


class BatchEvent(models.Model):
    """The history of a batch: append-only. ``detail`` is what a person said or what went wrong."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="events")
    from_state = models.CharField(_("from"), max_length=16, choices=_choices(STATE_LABELS), blank=True)
    to_state = models.CharField(_("to"), max_length=16, choices=_choices(STATE_LABELS))
    actor_kind = models.CharField(max_length=8)
    actor_name = models.CharField(_("by"), max_length=160)
    detail = models.CharField(_("why"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event of a batch")
        verbose_name_plural = _("events of a batch")
        indexes = (models.Index(fields=("batch", "id"), name="documents_batchevent_of"),)

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class BatchFile(models.Model):
    """One file of a batch as it came. ``is_correction``: rows of the error file that came back."""

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.CASCADE, related_name="files", verbose_name=_("batch")
    )
    ordinal = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("name"), max_length=200)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    is_correction = models.BooleanField(_("correction"), default=False)
    # Every item of it is there; what was being read when a worker died is read on from where it stopped.
    is_read = models.BooleanField(_("read"), default=False, editable=False)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("file of a batch")
        verbose_name_plural = _("files of a batch")
        constraints = (models.UniqueConstraint(fields=("batch", "ordinal"), name="documents_batchfile_once"),)

    def __str__(self) -> str:
        return self.name


class Severity(models.TextChoices):
    OK = "ok", _("fine")
    NOTICE = "notice", _("to know")
    WAITS = "waits", _("waits for a person")
    ERROR = "error", _("wrong")


class ImportItemQuerySet(models.QuerySet["ImportItem"]):
    def waiting(self) -> Self:
        """What a person has to look at."""
        return self.filter(outcome=Outcome.QUARANTINED).exclude(decision=Decision.DISCARD)

    def to_publish(self) -> Self:
        """What the next publication files."""
        return self.filter(outcome=Outcome.OPEN)

    def counted(self) -> Self:
        """What Finance counts: no covers, no rows that corrected ones took the place of, no absent names."""
        return self.exclude(reason__in=UNCOUNTED).exclude(method=ABSENT)

    def filed(self) -> Self:
        return self.filter(outcome=Outcome.FILED)

    def amended(self) -> Self:
        """Decided by a person."""
        return self.exclude(decision=Decision.NONE)

    def unlike_found(self) -> Self:
        """Those that a person gave to another membership than the one that was found."""
        return self.filter(membership__isnull=False).exclude(membership_id=F("found_id"))


class ImportItem(PublicModel):
    """One document or row of a batch. It ends in exactly one of filed, quarantined, duplicate.

    Of a document ``first_page`` and ``last_page`` (from 1) say where in its file it stands, of a row
    ``row_number`` as the spreadsheet counts. ``key_read`` is the account number as it was read,
    ``found`` whom the rules gave it to and by which ``method``, ``membership`` who has it now.
    ``values`` are the fields read, decimals as text; ``before`` what they change, field by field.
    ``reason`` is a stable code, ``detail`` its sentence.
    """

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.CASCADE, related_name="items", verbose_name=_("batch")
    )
    file = models.ForeignKey(BatchFile, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    ordinal = models.PositiveIntegerField(_("number"))
    source_name = models.CharField(_("name in the file"), max_length=200, blank=True, default="")
    first_page = models.PositiveIntegerField(_("first page"), default=0)
    last_page = models.PositiveIntegerField(_("last page"), default=0)
    row_number = models.PositiveIntegerField(_("row"), default=0)
    key_read = models.CharField(_("account number as read"), max_length=80, blank=True, default="")
    method = models.CharField(_("found by"), max_length=32, blank=True, default="")
    found = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("found")
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("membership"),
    )
    number = models.CharField(_("document number"), max_length=60, blank=True, default="")
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2, null=True)
    values = models.JSONField(_("values"), default=dict)
    before = models.JSONField(_("before"), default=dict)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity, default=Severity.OK)
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    detail = models.CharField(_("detail"), max_length=300, blank=True, default="")
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=_choices(OUTCOME_LABELS), default=Outcome.OPEN.value
    )
    decision = models.CharField(
        _("decision"), max_length=12, choices=_choices(DECISION_LABELS), default=Decision.NONE.value
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_note = models.CharField(_("why"), max_length=300, blank=True, default="")
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="", editable=False)
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, related_name="items", verbose_name=_("document")
    )

    objects = ImportItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item of a batch")
        verbose_name_plural = _("items of a batch")
        constraints = (
            models.UniqueConstraint(fields=("batch", "ordinal"), name="documents_item_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=[str(outcome) for outcome in Outcome]), name="documents_item_outcome"
            ),
        )
        indexes = (
            models.Index(fields=("batch", "outcome", "decision", "id"), name="documents_item_of"),
            models.Index(fields=("membership", "batch"), name="documents_item_membership"),
        )

    def __str__(self) -> str:
        return f"{self.batch_id} #{self.ordinal}"
