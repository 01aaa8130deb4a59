"""What is asked for a situation, compiled once: the member, what is taken, what the household has."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import Member, PrivilegeHold
from bcc.core.prepared import Prepared
from facilities.models import FacilitySpace
from facilities.models.rulebook import ROW, Rulebook
from reservations.models import Reservation, SlotClaim, Type
from reservations.policies.states import COUNTED_WHEN_OVER, OCCUPYING, State


def _member_row(*, member: int, now: datetime) -> QuerySet[Any, Any]:
    hold = (
        PrivilegeHold.objects.in_force(now, PrivilegeHold.Scope.BOOKING)
        .filter(member_id=OuterRef("pk"))
        .order_by("-until", "-pk")
    )
    return (
        Member.objects.filter(pk=member)
        .annotate(
            rulebook_mark=Subquery(Rulebook.objects.filter(pk=ROW).values("mark")[:1]),
            hold_until=Subquery(hold.values("until")[:1]),
            hold_reason=Subquery(hold.values("reason")[:1]),
        )
        .values_list(
            "membership_id",
            "membership__category_id",
            "membership__standing",
            "membership__valid_to",
            "can_book",
            "birth_date",
            "hold_until",
            "hold_reason",
            "user_id",
            "user__public_id",
            "first_name",
            "last_name",
            "public_id",
            "member_no",
            "rulebook_mark",
        )
    )


def _member_and_locks_row(*, member: int, now: datetime, facility: int) -> QuerySet[Any, Any]:
    # By the facility, not by the spaces: a list of them would be another SQL for each length.
    versions = (
        FacilitySpace.objects.filter(facility_id=facility)
        .order_by()
        .values("facility_id")
        .annotate(sum_of_versions=Sum("space__lock_version"))
        .values("sum_of_versions")
    )
    rows: QuerySet[Any, Any] = _member_row(member=member, now=now).annotate(lock_versions=Subquery(versions))
    return rows


def _taken_rows(*, spaces: list[int], first: datetime, after: datetime) -> QuerySet[Any, Any]:
    return (
        SlotClaim.objects.filter(space_id__in=spaces, cell_start__gte=first, cell_start__lt=after)
        .order_by()
        .values_list(
            "reservation_id",
            "space_id",
            "reservation__starts_at",
            "reservation__ends_at",
            "reservation__lanes",
            "reservation__buffer_before_minutes",
            "reservation__buffer_after_minutes",
            "reservation__expires_at",
        )
        .distinct()
    )


def _counted_rows(
    *,
    membership: int,
    member: int,
    first: date,
    after: date,
    now: datetime,
    given_back: datetime,
    since: datetime,
) -> QuerySet[Any, Any]:
    """``since`` excludes nothing that the others let in: the household's past is not even looked at.

    A lock-out is for what was given back before it was over; later it frees nothing.
    """
    lockout = Q(
        state=State.CANCELLED_MEMBER, member_id=member, ended_at__gt=given_back, ended_at__lte=F("ends_at")
    )
    in_periods = Q(starts_on__gte=first, starts_on__lt=after) & (
        Q(state__in=[*OCCUPYING, *COUNTED_WHEN_OVER]) | Q(is_charged=True)
    )
    outstanding = Q(state__in=list(OCCUPYING), ends_at__gt=now)
    return (
        Reservation.objects.filter(
            in_periods | outstanding | lockout, membership_id=membership, type=Type.NORMAL, ends_at__gt=since
        )
        .order_by()
        .values_list(
            "pk",
            "member_id",
            "facility_id",
            "starts_at",
            "ends_at",
            "starts_on",
            "nights",
            "guest_count",
            "state",
            "is_charged",
            "ended_at",
            "expires_at",
        )
    )


MEMBER = Prepared(_member_row, member=int, now=datetime)
MEMBER_AND_LOCKS = Prepared(_member_and_locks_row, member=int, now=datetime, facility=int)
TAKEN = Prepared(_taken_rows, spaces=(int,), first=datetime, after=datetime)
COUNTED = Prepared(
    _counted_rows,
    membership=int,
    member=int,
    first=date,
    after=date,
    now=datetime,
    given_back=datetime,
    since=datetime,
)
