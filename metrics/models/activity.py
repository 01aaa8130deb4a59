"""What leaves no row elsewhere: sign-in outcomes, and bookings that the club's rules refused."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _


class ActivityQuerySet(models.QuerySet["Activity"]):
    def about(self, name: Activity.Name, first: date, last: date) -> Self:
        """Those of one name whose date is ``first``, ``last`` or between."""
        return self.filter(name=name, about_on__range=(first, last))


class Activity(models.Model):
    """Something that happened, without the person.

    ``actor_hash`` is a keyed hash of the user: equal for equal people, so that different people can be
    counted, and nobody's name without the key. ``about_on`` is the club's date that it is about: the
    day that a refused booking was for, else the day it happened. ``properties`` holds codes and public
    ids, never a name, an address or a number.
    """

    class Name(models.TextChoices):
        BOOKING_REFUSED = "booking_refused", _("booking refused")
        SIGN_IN = "sign_in", _("sign-in")
        SIGN_IN_FAILED = "sign_in_failed", _("failed sign-in")

    name = models.CharField(_("what"), max_length=40, choices=Name)
    actor_hash = models.CharField(_("who, hashed"), max_length=64, blank=True)
    properties = models.JSONField(_("details"), default=dict)
    about_on = models.DateField(_("date"))
    at = models.DateTimeField(_("at"))

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = (
            models.Index(fields=("name", "about_on"), name="metrics_activity_about"),
            models.Index(fields=("at",), name="metrics_activity_age"),
        )

    def __str__(self) -> str:
        return self.get_name_display()
