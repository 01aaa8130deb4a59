"""Quotas, strikes and rates: rules across bookings, and what they are said to cost."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import MembershipCategory
from bcc.core.models import PublicModel
from facilities.models.dates import Dated
from facilities.models.facility import Facility, Kind
from facilities.models.rulebook import RuledModel


class QuotaRule(PublicModel, Dated):
    """At most so much of something in a period, for a member or a household.

    Scope: a facility, or a kind, or everything; perhaps prime time only; perhaps one category.
    """

    class Measure(models.TextChoices):
        COUNT = "count", _("bookings")
        MINUTES = "minutes", _("minutes")
        NIGHTS = "nights", _("nights")
        GUESTS = "guests", _("guests")

    class Period(models.TextChoices):
        DAY = "day", _("a day")
        WEEK = "week", _("a week")
        MONTH = "month", _("a month")
        YEAR = "year", _("a year")
        OUTSTANDING = "outstanding", _("outstanding")
        CONCURRENT = "concurrent", _("at the same time")

    class Per(models.TextChoices):
        MEMBER = "member", _("member")
        HOUSEHOLD = "household", _("household")

    name = models.CharField(_("name"), max_length=80, unique=True)
    measure = models.CharField(_("counts"), max_length=16, choices=Measure, default=Measure.COUNT)
    period = models.CharField(_("in"), max_length=16, choices=Period)
    per = models.CharField(_("for each"), max_length=16, choices=Per, default=Per.MEMBER)
    limit = models.PositiveIntegerField(_("at most"))
    facility = models.ForeignKey(
        Facility,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="quota_rules",
        verbose_name=_("facility"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, blank=True)
    prime_time_only = models.BooleanField(_("prime time only"), default=False)
    category = models.ForeignKey(
        MembershipCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("membership category"),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("quota rule")
        verbose_name_plural = _("quota rules")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.facility_id is not None and self.kind:
            raise ValidationError(_("Choose a facility or a kind or neither, not both."))


class StrikeRule(PublicModel, RuledModel):
    """So many strikes within days put a booking hold on the member."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    strikes = models.PositiveSmallIntegerField(_("strikes"), default=3, validators=[MinValueValidator(1)])
    within_days = models.PositiveSmallIntegerField(
        _("within days"), default=90, validators=[MinValueValidator(1)]
    )
    hold_days = models.PositiveSmallIntegerField(
        _("hold, days"), default=14, validators=[MinValueValidator(1)]
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("strike rule")
        verbose_name_plural = _("strike rules")

    def __str__(self) -> str:
        return self.name


class Rate(PublicModel, Dated):
    """A price shown and estimated; no payment is taken. For members, of one category perhaps, or guests."""

    class Unit(models.TextChoices):
        SLOT = "slot", _("a slot")
        NIGHT = "night", _("a night")
        HEAD = "head", _("a head")

    class GuestClass(models.TextChoices):
        MEMBER = "member", _("members")
        ACCOMPANIED = "accompanied", _("accompanied guests")
        SPONSORED = "sponsored", _("sponsored guests")

    facility = models.ForeignKey(
        Facility, on_delete=models.CASCADE, related_name="rates", verbose_name=_("facility")
    )
    category = models.ForeignKey(
        MembershipCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("membership category"),
    )
    guest_class = models.CharField(_("for"), max_length=16, choices=GuestClass, default=GuestClass.MEMBER)
    prime_time_only = models.BooleanField(_("prime time only"), default=False)
    unit = models.CharField(_("per"), max_length=16, choices=Unit, default=Unit.SLOT)
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")

    def __str__(self) -> str:
        return f"{self.amount} {self.get_unit_display()}"

    def clean(self) -> None:
        super().clean()
        rivals = Rate.objects.filter(
            facility_id=self.facility_id,
            category_id=self.category_id,
            guest_class=self.guest_class,
            prime_time_only=self.prime_time_only,
            unit=self.unit,
        ).sharing_a_day_with(self.valid_from, self.valid_until)
        if rivals.exclude(pk=self.pk).exists():
            raise ValidationError(
                _("There is a rate for the same on some of these days. Change the dates of one of the two.")
            )
