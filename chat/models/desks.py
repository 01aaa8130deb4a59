"""The desks that members write to, when somebody sits there, and what staff say often."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Desk(PublicModel):
    """A department that answers. A member has one thread with each."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    department = models.CharField(_("department"), max_length=80, blank=True)
    description = models.CharField(_("what it helps with"), max_length=200, blank=True)
    away_message = models.TextField(
        _("away message"),
        blank=True,
        max_length=1000,
        help_text=_("What a member is told who writes outside of the hours; empty: nothing."),
    )
    is_shown = models.BooleanField(_("shown to members"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("desk")
        verbose_name_plural = _("desks")

    def __str__(self) -> str:
        return self.name


class DeskSpan(models.Model):
    """When somebody sits at the desk, by the club's clock. Without a span it is never staffed."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="spans", verbose_name=_("desk"))
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = (
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")),
                name="chat_deskspan_forward",
                violation_error_message=_("It closes before it opens. Enter a later time, such as 23:59."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class CannedReply(models.Model):
    """What staff put into an answer by a key; of one desk, or of all."""

    desk = models.ForeignKey(
        Desk,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_replies",
        verbose_name=_("desk"),
        help_text=_("Empty: for every desk."),
    )
    title = models.CharField(_("title"), max_length=80)
    body = models.TextField(_("text"), max_length=2000)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")

    def __str__(self) -> str:
        return self.title
