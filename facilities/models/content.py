"""Club content: plain rows that staff edit and the app shows, each with schedule and audience."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import MembershipCategory
from bcc.core.models import PublicModel
from documents.models import Image
from facilities.models.dates import Scheduled, ScheduledQuerySet, misordered
from facilities.models.facility import Facility


class Audience(models.TextChoices):
    PUBLIC = "public", _("everyone")
    MEMBERS = "members", _("all members")
    CATEGORIES = "categories", _("some categories")


C_co = TypeVar("C_co", bound="Content", covariant=True)


class ContentQuerySet(ScheduledQuerySet[C_co]):
    def for_category(self, category_id: int | None) -> Self:
        """What a member of the category reads; without one, what everyone reads."""
        if category_id is None:
            return self.filter(audience=Audience.PUBLIC)
        # A sub-query, not a join: the OR would turn it into an outer one and repeat rows.
        theirs = self.model._default_manager.filter(categories=category_id).values("pk")
        return self.filter(
            Q(audience__in=(Audience.PUBLIC, Audience.MEMBERS))
            | Q(audience=Audience.CATEGORIES, pk__in=theirs)
        )


class Content(PublicModel, Scheduled):
    """What every piece of content has: a title, a text, a schedule and an audience."""

    title = models.CharField(_("title"), max_length=160)
    body = models.TextField(_("text"), blank=True)
    audience = models.CharField(_("audience"), max_length=16, choices=Audience, default=Audience.MEMBERS)
    categories = models.ManyToManyField(
        MembershipCategory,
        blank=True,
        verbose_name=_("categories"),
        help_text=_("Who sees it, if it is for some categories only."),
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=100, help_text=_("Lower stands first in lists.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar = ContentQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


def check_audience(*, audience: str, has_categories: bool) -> None:
    """What ``clean`` cannot see, because categories are saved after the row: form and API call it.

    Raises ValidationError on ``categories``.
    """
    if audience == Audience.CATEGORIES and not has_categories:
        raise ValidationError({"categories": _("Name at least one category, or show it to all members.")})
    if audience != Audience.CATEGORIES and has_categories:
        raise ValidationError({"categories": _("Leave this empty, or show it to some categories only.")})


class Illustrated(models.Model):
    """Content with a picture."""

    image = models.ForeignKey(
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("picture")
    )

    class Meta:
        abstract = True


class Announcement(Illustrated, Content):
    is_pinned = models.BooleanField(_("pinned"), default=False)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")


class Event(Illustrated, Content):
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    location = models.CharField(_("where"), max_length=120, blank=True)
    facility = models.ForeignKey(
        Facility, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("facility")
    )

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="facilities_event_forward"),
        )

    def clean(self) -> None:
        super().clean()
        if misordered(self.starts_at, self.ends_at):
            text = _("It must be later than the start. Correct one of the two.")
            raise ValidationError({"ends_at": ValidationError(text, code="not_after_start")})


class Contact(Content):
    department = models.CharField(_("department"), max_length=80)
    phone = models.CharField(_("telephone"), max_length=32, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    hours = models.CharField(_("hours"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")


class Faq(Content):
    topic = models.CharField(_("topic"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("question and answer")
        verbose_name_plural = _("questions and answers")


class ClubRule(Content):
    section = models.CharField(_("section"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("club rule")
        verbose_name_plural = _("club rules")


class Outlet(Illustrated, Content):
    hours = models.CharField(_("hours"), max_length=160, blank=True)
    phone = models.CharField(_("telephone"), max_length=32, blank=True)
    menu = models.TextField(_("menu"), blank=True)
    facility = models.ForeignKey(
        Facility, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("facility to book")
    )

    class Meta:
        verbose_name = _("dining outlet")
        verbose_name_plural = _("dining outlets")


class Promo(Illustrated, Content):
    code = models.CharField(_("code"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("promo")
        verbose_name_plural = _("promos")
