"""Two shapes that many rows share: shown for a while, and valid on dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from facilities.models.rulebook import RuledModel, RuledQuerySet


def misordered(first: Any, last: Any, *, may_be_equal: bool = False) -> bool:
    """Whether both are there and ``last`` is not after ``first``.

    For ``clean``, which also sees rows whose fields did not validate and are None.
    """
    if first is None or last is None:
        return False
    return bool(last < first if may_be_equal else last <= first)


class Publishing(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    RETIRED = "retired", _("retired")


S_co = TypeVar("S_co", bound="Scheduled", covariant=True)
D_co = TypeVar("D_co", bound="Dated", covariant=True)


class ScheduledQuerySet(RuledQuerySet[S_co]):
    def shown_at(self, at: datetime) -> Self:
        """Published, and inside the schedule of its publication."""
        return self.filter(
            Q(publish_from__isnull=True) | Q(publish_from__lte=at),
            Q(publish_until__isnull=True) | Q(publish_until__gt=at),
            state=Publishing.PUBLISHED,
        )


class Scheduled(RuledModel):
    """Shown while it is published, from one instant until another; at once, or for ever, without one."""

    state = models.CharField(_("state"), max_length=16, choices=Publishing, default=Publishing.DRAFT)
    publish_from = models.DateTimeField(_("shown from"), null=True, blank=True)
    publish_until = models.DateTimeField(_("shown until"), null=True, blank=True)

    objects: ClassVar = ScheduledQuerySet.as_manager()

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if misordered(self.publish_from, self.publish_until):
            text = _("It must be later than the start. Correct one of the two.")
            raise ValidationError({"publish_until": ValidationError(text, code="not_after_start")})

    def is_shown_at(self, at: datetime) -> bool:
        return (
            self.state == Publishing.PUBLISHED
            and (self.publish_from is None or self.publish_from <= at)
            and (self.publish_until is None or at < self.publish_until)
        )


class DatedQuerySet(RuledQuerySet[D_co]):
    def valid_on(self, on: date) -> Self:
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=on),
            Q(valid_until__isnull=True) | Q(valid_until__gte=on),
        )

    def valid_from_on(self, on: date) -> Self:
        """Those that are valid on ``on`` or will be later."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=on))

    def sharing_a_day_with(self, first: date | None, last: date | None) -> Self:
        """Those valid on at least one of the days from ``first`` to ``last``; None is open."""
        rows = self
        if last is not None:
            rows = rows.filter(Q(valid_from__isnull=True) | Q(valid_from__lte=last))
        if first is not None:
            rows = rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=first))
        return rows


class Dated(RuledModel):
    """Valid between two dates of the club's calendar, both inclusive; open without one."""

    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    objects: ClassVar = DatedQuerySet.as_manager()

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if misordered(self.valid_from, self.valid_until, may_be_equal=True):
            text = _("It must not be before the start. Correct one of the two.")
            raise ValidationError({"valid_until": ValidationError(text, code="not_after_start")})
