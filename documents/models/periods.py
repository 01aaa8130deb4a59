"""The column of a period, and what the club says of each month."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from documents.policies.periods import PERIOD_LENGTH, is_period


def check_period(value: str) -> None:
    if not is_period(value):
        raise ValidationError(_("Write the month as 2026-10: the year, a hyphen, two digits."), "period")


class PeriodField(models.CharField[Any, Any]):
    """A month as ``2026-10``: sorts as text, and reads the same in every zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = PERIOD_LENGTH
        kwargs["validators"] = [check_period]
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        kwargs.pop("validators", None)
        return name, path, args, kwargs


class Period(models.Model):
    """One month, from its first batch on. Closed, it takes no batch any more.

    ``lock_version`` is the lock under which a period is closed and a batch published into it.
    """

    period = PeriodField(_("period"), unique=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("closed by"),
        editable=False,
    )
    lock_version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("month of Finance")
        verbose_name_plural = _("months of Finance")

    def __str__(self) -> str:
        return str(self.period)

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


class GapReason(models.TextChoices):
    """Why an active membership has no statement in a period; what rows tell is worked out, not kept."""

    NO_CHARGES = "no_charges", _("nothing was charged")
    JOINED_LATER = "joined_later", _("joined later")
    BY_HAND = "by_hand", _("given on paper")
    OTHER = "other", _("another reason")


class PeriodGap(models.Model):
    """A person's explanation of one missing statement."""

    period = models.ForeignKey(
        Period, on_delete=models.CASCADE, related_name="gaps", verbose_name=_("period")
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="+", verbose_name=_("membership")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=GapReason)
    note = models.CharField(_("note"), max_length=300, blank=True)
    explained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("explained by")
    )
    explained_at = models.DateTimeField(_("explained at"))

    class Meta:
        verbose_name = _("explained gap")
        verbose_name_plural = _("explained gaps")
        constraints = (models.UniqueConstraint(fields=("period", "membership"), name="documents_gap_once"),)

    def __str__(self) -> str:
        return f"{self.period_id}, {self.membership_id}"
