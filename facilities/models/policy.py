"""Policies in versions: the terms of booking, as data that staff edit.

Nothing here judges; ``reservations.policies`` does, from plain values (``PolicyVersion.terms``).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import time
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import MembershipCategory
from bcc.core.errors import WrongStateError
from bcc.core.models import PublicModel
from facilities.models.dates import Dated, misordered
from facilities.models.facility import Facility, Kind
from facilities.models.rulebook import RuledModel, RuledQuerySet
from facilities.policies.terms import Terms

A_DAY = 24 * 60


class LateCancel(models.TextChoices):
    DENY = "deny", _("is refused")
    STRIKE = "strike", _("costs a strike")
    CHARGE = "charge", _("is charged")


class OnBadStanding(models.TextChoices):
    KEEP = "keep", _("are kept")
    FLAG = "flag", _("are kept and shown to the desk")
    CANCEL = "cancel", _("are cancelled by the club")


class ReservationPolicy(PublicModel, Dated):
    """Binds versions of terms to a facility, or to a kind and perhaps a membership category.

    The most specific that is valid on the day of the booking wins: facility and category, facility,
    kind and category, kind.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    facility = models.ForeignKey(
        Facility,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("facility"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, blank=True)
    category = models.ForeignKey(
        MembershipCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("membership category"),
    )

    class Meta:
        verbose_name = _("reservation policy")
        verbose_name_plural = _("reservation policies")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if (self.facility_id is None) == (not self.kind):
            raise ValidationError(_("Choose either a facility or a kind, not both."))
        rivals = ReservationPolicy.objects.filter(
            facility=self.facility_id, kind=self.kind, category=self.category_id
        ).sharing_a_day_with(self.valid_from, self.valid_until)
        if rival := rivals.exclude(pk=self.pk).order_by("pk").first():
            raise ValidationError(
                _(
                    "“%(name)s” is for the same facility or kind and category on some of these days, so none "
                    "of the two would win. Change the dates of one of them."
                ),
                params={"name": rival.name},
            )


class PublishedVersionError(WrongStateError):
    """A published version was to be changed or deleted."""

    code = "version_published"
    default_detail = _("A published version is never changed. Make a new version instead.")


class PolicyVersionQuerySet(RuledQuerySet["PolicyVersion"]):
    def published(self) -> Self:
        return self.filter(published_at__isnull=False)

    def drafts(self) -> Self:
        return self.filter(published_at__isnull=True)

    def update(self, **values: Any) -> int:
        self._refuse_published()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_published()
        return super().delete()

    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark on a function

    def _refuse_published(self) -> None:
        if self.published().exists():
            raise PublishedVersionError


class PolicyVersion(PublicModel, RuledModel):
    """The terms of a policy. Never edited once published: an edit is the next version.

    A reservation's foreign key to a version is its snapshot. Durations are whole minutes unless the
    name says days. A null limit means there is none. The published one with the highest number is in
    force; there is at most one draft.

    Raises PublishedVersionError when a published row is saved or deleted.
    """

    policy = models.ForeignKey(
        ReservationPolicy, on_delete=models.PROTECT, related_name="versions", verbose_name=_("policy")
    )
    number = models.PositiveIntegerField(_("version"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    published_by = models.CharField(_("published by"), max_length=150, blank=True, editable=False)

    # Window
    open_days_ahead = models.PositiveSmallIntegerField(_("opens days ahead"), default=7)
    release_time = models.TimeField(_("release time"), default=time(7))
    min_notice_minutes = models.PositiveIntegerField(_("notice, minutes"), default=0)
    min_notice_days = models.PositiveSmallIntegerField(_("notice, calendar days"), default=0)
    # Slots. For nights a slot is one night and slot_minutes is not used.
    slot_minutes = models.PositiveSmallIntegerField(
        _("slot, minutes"), default=60, validators=[MinValueValidator(5), MaxValueValidator(A_DAY)]
    )
    min_slots = models.PositiveSmallIntegerField(
        _("fewest slots"), default=1, validators=[MinValueValidator(1)]
    )
    max_slots = models.PositiveSmallIntegerField(
        _("most slots"), default=1, validators=[MinValueValidator(1)]
    )
    buffer_before_minutes = models.PositiveSmallIntegerField(_("buffer before, minutes"), default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(_("buffer after, minutes"), default=0)
    # Party
    party_min = models.PositiveSmallIntegerField(
        _("smallest party"), default=1, validators=[MinValueValidator(1)]
    )
    party_max = models.PositiveSmallIntegerField(
        _("largest party"), default=4, validators=[MinValueValidator(1)]
    )
    guests_max = models.PositiveSmallIntegerField(_("most guests"), null=True, blank=True)
    guest_names_required = models.BooleanField(_("guests must be named"), default=False)
    same_guest_limit = models.PositiveSmallIntegerField(
        _("visits of the same guest"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    same_guest_days = models.PositiveSmallIntegerField(_("counted over days"), default=30)
    # Holds and confirmation
    hold_minutes = models.PositiveIntegerField(
        _("hold, minutes"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    approval_required = models.BooleanField(_("needs approval"), default=False)
    approval_sla_minutes = models.PositiveIntegerField(_("approval within, minutes"), default=24 * 60)
    confirm_within_minutes = models.PositiveIntegerField(
        _("confirm within, minutes"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    confirm_before_start_minutes = models.PositiveIntegerField(
        _("confirm before the start, minutes"), null=True, blank=True
    )
    reminder_before_deadline_minutes = models.PositiveIntegerField(
        _("reminder before a deadline, minutes"), null=True, blank=True
    )
    reminder_before_start_minutes = models.PositiveIntegerField(
        _("reminder before the start, minutes"), null=True, blank=True
    )
    expiry_grace_minutes = models.PositiveIntegerField(_("grace after a deadline, minutes"), default=0)
    # Afterwards
    cancellation_cutoff_minutes = models.PositiveIntegerField(_("cancel until, minutes before"), default=0)
    late_cancel = models.CharField(
        _("a late cancellation"), max_length=16, choices=LateCancel, default=LateCancel.DENY
    )
    late_cancel_charge = models.DecimalField(
        _("charge"), max_digits=14, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    reschedule_limit = models.PositiveSmallIntegerField(_("reschedules"), default=2)
    check_in_from_minutes = models.PositiveIntegerField(_("check-in from, minutes before"), default=30)
    no_show_after_minutes = models.PositiveIntegerField(
        _("no-show after, minutes"), null=True, blank=True, help_text=_("Empty: nobody has to check in.")
    )
    weather_exempt = models.BooleanField(_("weather waives the cost"), default=False)
    rebook_lockout_minutes = models.PositiveIntegerField(
        _("lock-out after a cancellation, minutes"), default=0
    )
    # Other
    waitlist_max = models.PositiveSmallIntegerField(_("places on the waitlist"), default=0)
    waitlist_offer_minutes = models.PositiveSmallIntegerField(_("an offer is good for, minutes"), default=30)
    requires_good_standing = models.BooleanField(_("needs good standing"), default=True)
    on_bad_standing = models.CharField(
        _("coming bookings when the standing turns bad"),
        max_length=8,
        choices=OnBadStanding,
        default=OnBadStanding.KEEP,
        help_text=_("What happens to the bookings of a household that becomes delinquent or suspended."),
    )
    min_age = models.PositiveSmallIntegerField(_("youngest age"), null=True, blank=True)
    recurrence_allowed = models.BooleanField(_("may repeat"), default=False)

    objects: ClassVar = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a policy")
        verbose_name_plural = _("versions of a policy")
        constraints = (
            models.UniqueConstraint(fields=("policy", "number"), name="facilities_policyversion_once"),
            models.UniqueConstraint(
                fields=("policy",),
                condition=Q(published_at__isnull=True),
                name="facilities_policyversion_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(max_slots__gte=F("min_slots"), min_slots__gte=1, slot_minutes__gte=5),
                name="facilities_policyversion_slots",
            ),
            models.CheckConstraint(
                condition=Q(party_max__gte=F("party_min"), party_min__gte=1),
                name="facilities_policyversion_party",
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_published()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._refuse_published()
        return super().delete(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        errors: dict[str, Any] = {}
        if misordered(self.min_slots, self.max_slots, may_be_equal=True):
            errors["max_slots"] = _("It must not be fewer than the fewest slots. Correct one of the two.")
        if misordered(self.party_min, self.party_max, may_be_equal=True):
            errors["party_max"] = _("It must not be smaller than the smallest party. Correct one of the two.")
        if misordered(self.guests_max, self.party_max):
            errors["guests_max"] = _(
                "One of the party is the member, so guests are fewer than the largest party. Lower it, or "
                "leave it empty for no limit of its own."
            )
        if self.late_cancel_charge is not None:
            if self.late_cancel == LateCancel.CHARGE and not self.late_cancel_charge:
                errors["late_cancel_charge"] = _("Say what a late cancellation is charged.")
            if self.late_cancel != LateCancel.CHARGE and self.late_cancel_charge:
                errors["late_cancel_charge"] = _(
                    "A late cancellation is not charged by these terms. Set it to 0, or let it be charged."
                )
        if errors:
            raise ValidationError(errors)

    def _refuse_published(self) -> None:
        # By the row, not by the instance: publishing sets the instance first.
        if not self._state.adding and PolicyVersion.objects.published().filter(pk=self.pk).exists():
            raise PublishedVersionError

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def terms(self) -> Terms:
        return Terms(**{field.name: getattr(self, field.name) for field in fields(Terms)})
