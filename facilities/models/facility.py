"""What can be booked, and the physical spaces that a booking takes."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel
from documents.models import Image
from facilities.models.dates import Scheduled
from facilities.models.rulebook import RuledModel
from facilities.policies.cells import NIGHT


class Grid(models.IntegerChoices):
    """Minutes of a cell; every value divides 60, and cells are counted from the UTC hour."""

    NIGHT = NIGHT, _("one night")
    FIVE = 5, _("5 minutes")
    TEN = 10, _("10 minutes")
    FIFTEEN = 15, _("15 minutes")
    THIRTY = 30, _("30 minutes")
    SIXTY = 60, _("60 minutes")


class Kind(models.TextChoices):
    COURT = "court", _("court")
    TEE = "tee", _("tee time")
    ROOM_NIGHT = "room_night", _("guest room")
    TABLE = "table", _("table")
    HALL = "hall", _("hall")
    LANE = "lane", _("lane")
    CLASS = "class", _("class or pool")


class Takes(models.TextChoices):
    BOOKING = "booking", _("one lane a booking")
    PERSON = "person", _("one lane a person")


class Space(PublicModel, RuledModel):
    """The smallest physical thing that can be taken.

    ``lanes`` is how many may be in one cell and the only place where capacity is kept.
    ``lock_version`` is the portable lock of its cells. Night spaces have check-in and check-out times.
    """

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    grid = models.PositiveSmallIntegerField(_("grid"), choices=Grid, default=Grid.FIFTEEN)
    lanes = models.PositiveIntegerField(_("lanes"), default=1, validators=[MinValueValidator(1)])
    check_in_at = models.TimeField(_("check-in"), default=time(14))
    check_out_at = models.TimeField(_("check-out"), default=time(12))
    lock_version = models.PositiveBigIntegerField(default=0, editable=False)
    is_retired = models.BooleanField(_("retired"), default=False)

    # The lock is taken by every booking and is no change of the rules: it goes through a plain manager.
    locks: ClassVar[models.Manager[Space]] = models.Manager()

    class Meta:
        verbose_name = _("space")
        verbose_name_plural = _("spaces")
        # `lock_rows` uses the base manager: a lock must not turn the rulebook's page. The default one
        # must, and would otherwise be `locks`, because managers of the class itself come first.
        base_manager_name = "locks"
        default_manager_name = "objects"
        constraints = (
            models.CheckConstraint(condition=Q(lanes__gte=1), name="facilities_space_has_a_lane"),
            models.CheckConstraint(
                condition=Q(check_out_at__lte=F("check_in_at")), name="facilities_space_out_before_in"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_nightly(self) -> bool:
        return self.grid == NIGHT


class Facility(PublicModel, Scheduled):
    """What a member books: one or more spaces under one name."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    takes = models.CharField(_("takes"), max_length=16, choices=Takes, default=Takes.BOOKING)
    area = models.CharField(
        _("area"), max_length=80, blank=True, help_text=_("Heading in the app, as in Sports.")
    )
    description = models.TextField(_("description"), blank=True)
    terms = models.TextField(_("terms"), blank=True)
    location = models.CharField(_("where it is"), max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    spaces = models.ManyToManyField(
        Space, through="FacilitySpace", related_name="facilities", verbose_name=_("spaces")
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")

    def __str__(self) -> str:
        return self.name


class FacilitySpace(RuledModel):
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="facility_spaces")
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, related_name="facility_spaces", verbose_name=_("space")
    )

    class Meta:
        verbose_name = _("space of a facility")
        verbose_name_plural = _("spaces of a facility")
        constraints = (
            models.UniqueConstraint(fields=("facility", "space"), name="facilities_facilityspace_once"),
        )

    def __str__(self) -> str:
        return f"{self.facility_id} / {self.space_id}"


class FacilityImage(RuledModel):
    """One of a facility's pictures; the first in order stands for it in lists."""

    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="facility_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+", verbose_name=_("picture"))
    position = models.PositiveSmallIntegerField(
        _("position"), default=100, help_text=_("Lower stands first.")
    )

    class Meta:
        verbose_name = _("picture of a facility")
        verbose_name_plural = _("pictures of a facility")
        constraints = (
            models.UniqueConstraint(fields=("facility", "image"), name="facilities_facilityimage_once"),
        )

    def __str__(self) -> str:
        return f"{self.facility_id} / {self.image_id}"
