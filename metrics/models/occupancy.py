"""The occupancy report: a view of the database, made by ``metrics.services.database_views``."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from facilities.models import Facility


class OccupancyQuerySet(models.QuerySet["Occupancy"]):
    def between(self, first: date, last: date) -> Self:
        return self.filter(starts_on__range=(first, last))


class Occupancy(models.Model):
    """One facility on one of the club's dates: a row of the view, never of a table.

    A booking counts wholly on the date that it starts on. ``bookings``, ``minutes``, ``people`` and
    ``guests`` are of what stands or took place (holds and no-shows too: the place was taken);
    ``cancelled`` and ``lapsed`` of what did not. What staff blocked is no booking and counts in
    ``blocked_minutes`` only.
    """

    facility = models.ForeignKey(
        Facility,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("facility"),
    )
    starts_on = models.DateField(_("date"))
    bookings = models.BigIntegerField(_("bookings"))
    minutes = models.BigIntegerField(_("minutes booked"))
    people = models.BigIntegerField(_("people"))
    guests = models.BigIntegerField(_("guests"))
    no_shows = models.BigIntegerField(_("no-shows"))
    cancelled = models.BigIntegerField(_("cancelled"))
    lapsed = models.BigIntegerField(_("lapsed"))
    blocked_minutes = models.BigIntegerField(_("minutes blocked"))

    objects = OccupancyQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "metrics_occupancy"
        default_permissions = ("view",)
        verbose_name = _("occupancy report")
        verbose_name_plural = _("occupancy reports")

    def __str__(self) -> str:
        return f"{self.facility_id} / {self.starts_on}"
