"""Changes of the club that bookings must be asked about: closures, hours, retiring.

Each lists what it hits and is refused until staff keep or cancel every one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from bcc.core import clock, transactions
from bcc.core.actors import Actor
from bcc.core.errors import ConflictError
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility, Publishing, Space
from reservations.models import Reservation, ReservationEvent, SlotClaim
from reservations.policies.states import State
from reservations.policies.terms import FacilityFacts
from reservations.selectors.rulebook import Rules, current_rules
from reservations.services.cancel import cancel_by_club
from reservations.services.errors import UndecidedBookingsError
from reservations.services.move import announce, change, write_event

DAY = timedelta(days=1)


class Decision(StrEnum):
    KEEP = "keep"
    CANCEL = "cancel"


Decisions = Mapping[int, Decision]


class FutureClaimsError(ConflictError):
    """The grid, the lanes or the spaces of something cannot change under coming bookings."""

    code = "future_claims"


def get_hits(closure: Closure, *, now: datetime) -> QuerySet[Reservation]:
    """The coming reservations that a closure hits: of the facility, or of every facility on the space."""
    hits = (
        Reservation.objects.occupying()
        .filter(starts_at__lt=closure.ends_at, ends_at__gt=max(closure.starts_at, now))
        .select_related("facility", "member__membership", "member__user", "policy_version")
    )
    if closure.facility_id is not None:
        hits = hits.filter(facility_id=closure.facility_id)
    else:
        hits = hits.filter(pk__in=SlotClaim.objects.filter(space=closure.space).values("reservation_id"))
    return hits.order_by("starts_at", "pk")


@transactions.writes
def close(*, closure: Closure, decisions: Decisions, by: Actor, now: datetime) -> Closure:
    """Put a closure in force: under the spaces' lock, with a decision for every booking it hits.

    Raises UndecidedBookingsError with those that have none.
    """
    rules = current_rules()
    if closure.space_id is not None:
        space_ids = [closure.space_id]
    else:
        space_ids = [space.id for space in rules.facilities[closure.facility_id or 0].spaces]
    hits = list(get_hits(closure, now=now))
    lock_all(hits, space_ids)
    # Looked at again: a booking may have come between the look and the lock.
    hits = list(get_hits(closure, now=now))
    decide(hits, decisions=decisions, by=by, reason=closure.reason, now=now, tell=closure.handling != "keep")
    closure.confirmed_at = now
    closure.save()
    return closure


@transactions.writes
def lift_closure(*, closure: Closure, now: datetime) -> Closure:
    """End a closure early; one that has not begun is as if it never was."""
    if closure.starts_at >= now:
        closure.delete()
        return closure
    closure.ends_at = min(closure.ends_at, now)
    closure.save()
    return closure


def lock_all(hits: Iterable[Reservation], space_ids: Iterable[int]) -> None:
    """Memberships first, then spaces, by id."""
    transactions.lock_rows(Membership, [hit.membership_id for hit in hits if hit.membership_id is not None])
    transactions.lock_rows(Space, space_ids)


def decide(
    hits: list[Reservation], *, decisions: Decisions, by: Actor, reason: str, now: datetime, tell: bool = True
) -> None:
    """Carry staff's decisions out. Raises UndecidedBookingsError unless every hit has one."""
    undecided = [hit for hit in hits if hit.pk not in decisions]
    if undecided:
        raise UndecidedBookingsError(undecided)
    for hit in hits:
        if decisions[hit.pk] is Decision.CANCEL:
            cancel_by_club(reservation=hit, by=by, reason=reason, now=now)
        else:
            change(hit, now=now, values={"needs_attention": True})
            write_event(
                hit,
                action=ReservationEvent.Action.KEPT,
                source=State(hit.state),
                by=by,
                now=now,
                reason=reason,
            )
            if tell:
                announce(hit, kind="reservation_kept", now=now, reason=reason)


@transactions.writes
def change_hours(
    *,
    facility: Facility,
    apply: Callable[[], None],
    decisions: Decisions,
    by: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Run ``apply`` (which writes opening periods) and ask about bookings that it leaves outside.

    What was outside before is no concern of this change. Raises UndecidedBookingsError.
    """
    before = current_rules()
    facts = before.facilities[facility.pk]
    coming = list(
        Reservation.objects.occupying()
        .filter(facility_id=facility.pk, ends_at__gt=now, type="NORMAL")
        .select_related("facility", "member__membership", "member__user", "policy_version")
        .order_by("starts_at", "pk")
    )
    lock_all(coming, [space.id for space in facts.spaces])
    apply()
    after = current_rules()
    stranded = [
        one
        for one in coming
        if is_open(before, facts, one.interval)
        and not is_open(after, after.facilities[facility.pk], one.interval)
    ]
    decide(stranded, decisions=decisions, by=by, reason=reason, now=now)


def is_open(rules: Rules, facility: FacilityFacts, interval: Interval) -> bool:
    """Whether the facility's hours hold the interval; for stays, each date of its nights."""
    first = interval.starts_at.astimezone(rules.zone).date()
    if facility.is_nightly:
        last = interval.ends_at.astimezone(rules.zone).date()
        return all(rules.open_on(facility, first + n * DAY) for n in range((last - first).days))
    openings = [*rules.open_on(facility, first - DAY), *rules.open_on(facility, first)]
    return any(opening.covers(interval) for opening in openings)


@transactions.writes
def retire_facility(
    *, facility: Facility, decisions: Decisions, by: Actor, reason: str, now: datetime
) -> Facility:
    """Take a facility out of the app for good, with a decision for each coming booking."""
    rules = current_rules()
    coming = list(coming_bookings(facility.pk, now=now))
    lock_all(coming, [space.id for space in rules.facilities[facility.pk].spaces])
    decide(list(coming_bookings(facility.pk, now=now)), decisions=decisions, by=by, reason=reason, now=now)
    facility.state = Publishing.RETIRED
    facility.save()
    return facility


def coming_bookings(facility_id: int, *, now: datetime) -> QuerySet[Reservation]:
    return (
        Reservation.objects.occupying()
        .filter(facility_id=facility_id, ends_at__gt=now)
        .select_related("facility", "member__membership", "member__user", "policy_version")
        .order_by("starts_at", "pk")
    )


def require_no_future_claims(space: Space, *, now: datetime) -> None:
    """Raise FutureClaimsError, which says which, while anybody is to come. Under the space's lock."""
    transactions.lock_rows(Space, [space.pk])
    last = (
        SlotClaim.objects.filter(space_id=space.pk, reservation__ends_at__gt=now)
        .select_related("reservation__facility")
        .order_by("-cell_start")
        .first()
    )
    if last is not None:
        raise FutureClaimsError(
            _("%(space)s is booked until %(until)s (%(facility)s). Move the bookings or wait until then.")
            % {
                "space": space.name,
                "until": date_format(last.reservation.ends_at.astimezone(clock.zone()), "j F Y, H:i"),
                "facility": last.reservation.facility.name,
            }
        )
