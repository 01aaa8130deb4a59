"""A reservation, its people and its history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Membership, Standing
from bcc.core.actors import STANDING
from bcc.core.intervals import Interval
from bcc.core.models import PublicModel
from facilities.models import Facility, OnBadStanding, PolicyVersion
from reservations.models.guest import Guest
from reservations.policies.states import CANCELLABLE, DEADLINED, OCCUPYING, State


class Type(models.TextChoices):
    NORMAL = "NORMAL", _("by a member")
    STAFF = "STAFF", _("staff")
    BLOCKED = "BLOCKED", _("blocked")
    EVENT = "EVENT", _("event")


STATE_LABELS = {
    State.HELD: _("held"),
    State.PENDING_APPROVAL: _("waiting for approval"),
    State.PENDING_CONFIRMATION: _("waiting for confirmation"),
    State.CONFIRMED: _("confirmed"),
    State.CHECKED_IN: _("checked in"),
    State.COMPLETED: _("completed"),
    State.NO_SHOW: _("no-show"),
    State.DENIED: _("denied"),
    State.EXPIRED: _("expired"),
    State.CANCELLED_MEMBER: _("cancelled by the member"),
    State.CANCELLED_CLUB: _("cancelled by the club"),
}


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def occupying(self) -> Self:
        return self.filter(state__in=OCCUPYING)

    def overlapping(self, interval: Interval) -> Self:
        return self.filter(starts_at__lt=interval.ends_at, ends_at__gt=interval.starts_at)

    def visible_to(self, member: Member) -> Self:
        """Principal and spouse see the household's; a dependent their own."""
        if member.sees_household:
            return self.filter(membership_id=member.membership_id)
        return self.filter(member_id=member.pk)

    def due_to_expire(self, at: datetime) -> Self:
        return self.filter(state__in=DEADLINED, expires_at__lte=at)

    def hit_by_standing(self, at: datetime) -> Self:
        """Coming ones whose policy asks for a step and that none was taken for.

        Booked before the household's standing turned bad; what was booked since, was in spite of it.
        """
        turned_at = "membership__standing_changed_at"
        steps = ReservationEvent.objects.filter(
            reservation=OuterRef("pk"),
            actor_kind=STANDING.kind,
            actor_name=STANDING.name,
            at__gte=OuterRef(turned_at),
        )
        return self.filter(
            ~Exists(steps),
            membership__standing__in=(Standing.DELINQUENT, Standing.SUSPENDED),
            policy_version__on_bad_standing__in=(OnBadStanding.FLAG, OnBadStanding.CANCEL),
            state__in=sorted(CANCELLABLE),
            created_at__lte=F(turned_at),
            starts_at__gt=at,
        )

    def upcoming(self, at: datetime) -> Self:
        return self.filter(ends_at__gt=at)

    def past(self, at: datetime) -> Self:
        return self.filter(ends_at__lte=at)

    def at_facilities(self, ids: Iterable[int]) -> Self:
        return self.filter(facility_id__in=list(ids))

    def with_details(self) -> Self:
        return self.select_related("facility", "member__membership", "policy_version__policy")


class Reservation(PublicModel):
    """A facility for an interval, for a member (or for the club itself: staff, blocked, event).

    ``version`` is compared and set by every change. ``expires_at`` is the deadline of the present
    state, computed once on entry. ``policy_version`` is the snapshot of the terms; buffers are kept
    as columns because two bookings of different policies may stand beside each other.
    ``starts_on`` is the club's calendar date of the start, for quotas, lists and reports.
    """

    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, related_name="reservations", verbose_name=_("facility")
    )
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("member"),
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("membership"),
    )
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("booked by"),
    )
    policy_version = models.ForeignKey(
        PolicyVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("terms"),
    )
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.NORMAL)
    state = models.CharField(
        _("state"), max_length=24, choices=[(state.value, label) for state, label in STATE_LABELS.items()]
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    starts_on = models.DateField(_("date"))
    expires_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    party = models.PositiveSmallIntegerField(_("party"), default=1)
    guest_count = models.PositiveSmallIntegerField(_("guests"), default=0)
    nights = models.PositiveSmallIntegerField(_("nights"), default=0)
    lanes = models.PositiveIntegerField(_("lanes taken"), default=1)
    buffer_before_minutes = models.PositiveSmallIntegerField(_("buffer before, minutes"), default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(_("buffer after, minutes"), default=0)
    reschedules = models.PositiveSmallIntegerField(_("times rescheduled"), default=0)
    is_charged = models.BooleanField(_("charged although cancelled"), default=False)
    needs_attention = models.BooleanField(_("needs attention"), default=False)
    title = models.CharField(_("title"), max_length=120, blank=True)
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    room_no = models.CharField(_("room"), max_length=16, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"))
    ended_at = models.DateTimeField(_("freed at"), null=True, blank=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="reservations_reservation_forward"
            ),
            models.CheckConstraint(
                condition=~Q(type="NORMAL")
                | Q(member__isnull=False, membership__isnull=False, policy_version__isnull=False),
                name="reservations_reservation_normal_has_member",
            ),
        )
        indexes = (
            models.Index(fields=("facility", "starts_at"), name="reservations_by_facility"),
            # In the order of a list; with the end in them a page of what is coming skips what is over
            # without a look at its rows.
            models.Index(fields=("member", "starts_at", "id", "ends_at"), name="reservations_by_member"),
            models.Index(
                fields=("membership", "starts_at", "id", "ends_at"), name="reservations_by_membership"
            ),
            # What a household has that is not over long since: what a booking is judged by.
            models.Index(fields=("membership", "ends_at"), name="reservations_of_household"),
            # By what every engine sees in a question for what is due: SQLite takes no partial index for a
            # state that comes as a parameter. A state without a deadline has none of these.
            models.Index(
                fields=("expires_at",), condition=Q(expires_at__isnull=False), name="reservations_due"
            ),
            models.Index(fields=("state", "ends_at"), name="reservations_by_state"),
        )
        permissions = (
            ("work_the_desk", _("May work at the front desk")),
            ("book_for_members", _("May book for members")),
            ("waive_cost", _("May waive strikes and charges")),
            ("close_facilities", _("May close facilities")),
        )

    def __str__(self) -> str:
        return f"{self.facility}, {localtime(self.starts_at):%Y-%m-%d %H:%M}"

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)

    @property
    def occupies(self) -> bool:
        return self.state in OCCUPYING


class Participant(models.Model):
    """One of the party: a member, a named guest, or somebody still to be named."""

    class Kind(models.TextChoices):
        MEMBER = "member", _("member")
        GUEST = "guest", _("guest")
        TBD = "tbd", _("to be named")

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="participants")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("member")
    )
    guest = models.ForeignKey(
        Guest, on_delete=models.PROTECT, null=True, blank=True, related_name="visits", verbose_name=_("guest")
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="member", member__isnull=False, guest__isnull=True)
                | Q(kind="guest", member__isnull=True, guest__isnull=False)
                | Q(kind="tbd", member__isnull=True, guest__isnull=True),
                name="reservations_participant_is_one",
            ),
        )

    def __str__(self) -> str:
        return str(self.member or self.guest or self.get_kind_display())


class ReservationEvent(models.Model):
    """One line of the history that members and staff see. Appended, never changed."""

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        MOVED = "moved", _("state changed")
        RESCHEDULED = "rescheduled", _("rescheduled")
        PARTY_CHANGED = "party_changed", _("party changed")
        KEPT = "kept", _("kept in spite of a closure")
        ROOM_ASSIGNED = "room_assigned", _("room assigned")
        FLAGGED = "flagged", _("flagged")
        SETTLED = "settled", _("looked after")
        WAIVED = "waived", _("cost waived")

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="events")
    action = models.CharField(_("what"), max_length=16, choices=Action)
    from_state = models.CharField(_("from"), max_length=24, blank=True)
    to_state = models.CharField(_("to"), max_length=24)
    actor_kind = models.CharField(_("kind of actor"), max_length=8)
    actor_name = models.CharField(_("by"), max_length=150)
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event of a reservation")
        verbose_name_plural = _("events of a reservation")
        indexes = (models.Index(fields=("reservation", "id"), name="reservations_event_history"),)

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.to_state}"
