from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from facilities.models import Space
from reservations.models.reservation import Reservation


class SlotClaim(models.Model):
    """One lane of one cell of one space, taken. The database itself refuses a double booking.

    A reservation holds claims if and only if its state occupies. The lane is the lowest free one in
    its cell and means nothing else.
    """

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="claims", db_index=False)
    cell_start = models.DateTimeField()
    lane = models.PositiveIntegerField()
    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="claims")

    class Meta:
        verbose_name = _("slot claim")
        verbose_name_plural = _("slot claims")
        constraints = (
            models.UniqueConstraint(
                fields=("space", "cell_start", "lane"), name="reservations_slotclaim_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.space_id} {self.cell_start:%Y-%m-%d %H:%M} #{self.lane}"
