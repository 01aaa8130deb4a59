"""What a broken promise costs: strikes, and lines that Finance charges."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Membership
from bcc.core.models import PublicModel
from reservations.models.reservation import Reservation


class Waivable(models.Model):
    """A cost that staff may set aside, with who did and why."""

    waived_at = models.DateTimeField(_("waived at"), null=True, blank=True)
    waived_by = models.CharField(_("waived by"), max_length=150, blank=True)
    waive_reason = models.CharField(_("why it was waived"), max_length=300, blank=True)

    class Meta:
        abstract = True

    @property
    def is_waived(self) -> bool:
        return self.waived_at is not None


class Strike(PublicModel, Waivable):
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="strikes", verbose_name=_("member")
    )
    reservation = models.OneToOneField(
        Reservation, on_delete=models.CASCADE, related_name="strike", verbose_name=_("reservation")
    )
    reason = models.CharField(_("reason"), max_length=200)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("strike")
        verbose_name_plural = _("strikes")
        indexes = (models.Index(fields=("member", "at"), name="reservations_strike_recent"),)

    def __str__(self) -> str:
        return f"{self.member}: {self.reason}"


class ChargeLine(PublicModel, Waivable):
    """An amount in the club's currency for Finance to put on the account; no payment is taken here.

    A waived one is not exported; an exported one is Finance's and cannot be waived any more.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="charge_lines", verbose_name=_("membership")
    )
    reservation = models.OneToOneField(
        Reservation, on_delete=models.PROTECT, related_name="charge_line", verbose_name=_("reservation")
    )
    description = models.CharField(_("description"), max_length=200)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    at = models.DateTimeField(_("at"))
    exported_at = models.DateTimeField(_("exported at"), null=True, blank=True)

    class Meta:
        verbose_name = _("charge line")
        verbose_name_plural = _("charge lines")

    def __str__(self) -> str:
        return f"{self.membership}: {self.amount}"
