"""What Finance and staff set for each kind of batch, and how accounts are found in names and on pages."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from documents.models.batches import BatchKind
from documents.models.documents import DocumentKind


class KindRule(models.Model):
    """What the club asks of one kind of batch. Without a row the defaults here hold."""

    kind = models.CharField(_("kind"), max_length=16, choices=BatchKind, unique=True)
    expected_day = models.PositiveSmallIntegerField(
        _("expected by day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
        help_text=_("Day of the month after the period. Empty: none is expected."),
    )
    amount_limit = models.DecimalField(
        _("largest amount"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("A larger one waits for a person. Empty: no limit."),
    )
    outlier_factor = models.PositiveSmallIntegerField(
        _("times the usual"),
        default=10,
        help_text=_("An amount of so many times the member's six-month median waits. 0: never."),
    )
    needs_second_person = models.BooleanField(
        _("another person approves"), default=True, help_text=_("Who uploaded a batch does not approve it.")
    )
    download_name = models.CharField(
        _("download name"),
        max_length=120,
        default="SOA_{period}_{account_no}.pdf",
        help_text=_("With {period}, {account_no}, {kind} and {number}."),
    )

    class Meta:
        verbose_name = _("rule of a kind")
        verbose_name_plural = _("rules of kinds")

    def __str__(self) -> str:
        return self.get_kind_display()


class FileNamePattern(models.Model):
    """How an account number stands in a file name: ``SOA-{account_no}-{period}.pdf``.

    ``{account_no}``, ``{period}`` and ``{number}`` are read, ``*`` is anything, everything else is itself,
    in upper or lower case. Tried in order of ``position``.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=BatchKind)
    pattern = models.CharField(_("pattern"), max_length=160)
    document_kind = models.CharField(
        _("files as"), max_length=16, choices=DocumentKind, default=DocumentKind.STATEMENT
    )
    sample = models.CharField(_("sample"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("used"), default=True)

    class Meta:
        verbose_name = _("pattern of file names")
        verbose_name_plural = _("patterns of file names")
        constraints = (models.UniqueConstraint(fields=("kind", "pattern"), name="documents_pattern_once"),)

    def __str__(self) -> str:
        return self.pattern


class PageRegion(models.Model):
    """Where on a page the account number stands, in millimetres from the top left corner.

    ``label`` is the text before it, as ``Account No.``; empty: whatever in the box looks like one of the
    club's numbers. A page without one continues the document before it.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=BatchKind)
    name = models.CharField(_("name"), max_length=80)
    left = models.PositiveSmallIntegerField(_("left, mm"))
    top = models.PositiveSmallIntegerField(_("top, mm"))
    width = models.PositiveSmallIntegerField(_("width, mm"), validators=[MinValueValidator(1)])
    height = models.PositiveSmallIntegerField(_("height, mm"), validators=[MinValueValidator(1)])
    label = models.CharField(_("label"), max_length=60, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("used"), default=True)

    class Meta:
        verbose_name = _("region of a page")
        verbose_name_plural = _("regions of a page")
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="documents_region_once"),)

    def __str__(self) -> str:
        return self.name
