"""The front desk's page has no rows of its own; the back office wants a model to hang it on."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from reservations.models.reservation import Reservation


class Today(Reservation):
    """Reservations as the front desk works on them, day by day."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("today")
        verbose_name_plural = _("today")
