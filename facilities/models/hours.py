"""When facilities are open: weekly spans in dated periods, closures, prime time, holidays."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel
from facilities.models.dates import Dated, misordered
from facilities.models.facility import Facility, Kind, Space
from facilities.models.rulebook import RuledModel
from facilities.policies.hours import HOLIDAY


class Weekday(models.IntegerChoices):
    """Monday is 0, as in Python; HOLIDAY holds on the confirmed days of the club's calendar."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")
    HOLIDAY = HOLIDAY, _("holiday")


class Holiday(RuledModel):
    """A day of the club's calendar. Only a confirmed one counts; staff confirm them each year."""

    on = models.DateField(_("date"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    is_confirmed = models.BooleanField(_("confirmed"), default=False)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class OpeningPeriod(PublicModel, RuledModel):
    """Weekly hours between two dates (both inclusive; open-ended without the second).

    Of the periods that cover a date the one with the highest priority decides, where two have the
    same the one that starts later, then the one that ends sooner. Without ``override`` it adds to the
    next below instead of replacing it. A period without hours for a date is closed on it. On a
    confirmed holiday its hours for holidays, if it has any, replace those of the weekday.
    """

    facility = models.ForeignKey(
        Facility, on_delete=models.CASCADE, related_name="opening_periods", verbose_name=_("facility")
    )
    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("The highest wins on a date."))
    override = models.BooleanField(
        _("replaces"), default=True, help_text=_("Replaces lower priorities; otherwise adds to them.")
    )

    class Meta:
        verbose_name = _("opening period")
        verbose_name_plural = _("opening periods")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="facilities_period_forward",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if misordered(self.starts_on, self.ends_on, may_be_equal=True):
            raise ValidationError({"ends_on": _("It must not be before the start. Correct one of the two.")})
        twins = OpeningPeriod.objects.filter(
            facility_id=self.facility_id,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            priority=self.priority,
        )
        if twins.exclude(pk=self.pk).exists():
            raise ValidationError(
                _(
                    "Another period of this facility has the same dates and priority, so neither "
                    "would win. Give one of them a higher priority."
                )
            )


class OpeningSpan(RuledModel):
    """Open on a weekday from one wall time to another, on the next day if it says so; at most 24 hours."""

    period = models.ForeignKey(OpeningPeriod, on_delete=models.CASCADE, related_name="spans")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))
    next_day = models.BooleanField(_("closes on the next day"), default=False)

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = (
            models.CheckConstraint(
                condition=Q(next_day=False, closes__gt=F("opens")) | Q(next_day=True, closes__lte=F("opens")),
                name="facilities_span_within_a_day",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"

    def clean(self) -> None:
        super().clean()
        if not self.next_day and misordered(self.opens, self.closes):
            raise ValidationError(
                {"closes": _("It must be later than opening. Tick the box if it closes on the next day.")}
            )
        if self.next_day and misordered(self.closes, self.opens, may_be_equal=True):
            raise ValidationError(
                {"closes": _("That is more than a day. Untick the box if it closes on the same day.")}
            )


class Closure(PublicModel, RuledModel):
    """A facility or a space is not to be had for an interval.

    It is in force once ``confirmed_at`` is set, which a reservations service does after every booking
    that it hits was kept or cancelled.
    """

    class Handling(models.TextChoices):
        KEEP = "keep", _("keep the bookings")
        NOTIFY = "notify", _("keep them and tell the members")
        CANCEL = "cancel", _("cancel them")

    facility = models.ForeignKey(
        Facility,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="closures",
        verbose_name=_("facility"),
    )
    space = models.ForeignKey(
        Space,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="closures",
        verbose_name=_("space"),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    handling = models.CharField(
        _("bookings inside"), max_length=16, choices=Handling, default=Handling.NOTIFY
    )
    confirmed_at = models.DateTimeField(_("in force since"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="facilities_closure_forward"
            ),
            models.CheckConstraint(
                condition=Q(facility__isnull=False, space__isnull=True)
                | Q(facility__isnull=True, space__isnull=False),
                name="facilities_closure_one_target",
            ),
        )
        indexes = (models.Index(fields=("ends_at",), name="facilities_closure_coming"),)

    def __str__(self) -> str:
        return f"{self.facility or self.space}: {self.reason}"

    def clean(self) -> None:
        super().clean()
        if (self.facility_id is None) == (self.space_id is None):
            raise ValidationError(_("Choose either a facility or a space, not both."))
        if misordered(self.starts_at, self.ends_at):
            raise ValidationError({"ends_at": _("It must be later than the start. Correct one of the two.")})


class PrimeTime(Dated):
    """Wall-clock bands that quotas and rates may single out; of one facility or of a whole kind.

    ``ends`` 00:00 is the end of the day. Holiday bands replace those of the weekday on a confirmed
    holiday.
    """

    name = models.CharField(_("name"), max_length=80)
    facility = models.ForeignKey(
        Facility,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="prime_times",
        verbose_name=_("facility"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, blank=True)
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("00:00 is the end of the day."))

    class Meta:
        verbose_name = _("prime time")
        verbose_name_plural = _("prime times")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")) | Q(ends=time.min), name="facilities_prime_forward"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if (self.facility_id is None) == (not self.kind):
            raise ValidationError(_("Choose either a facility or a kind, not both."))
        if self.ends != time.min and misordered(self.starts, self.ends):
            raise ValidationError(
                {"ends": _("It must be later than the start (00:00 ends the day). Correct one of the two.")}
            )
