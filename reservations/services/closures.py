"""Changes of the club that bookings must be asked about: closures, hours, retiring, spaces.

The first three list what they hit and are refused until staff keep or cancel every one; spaces do not
change at all while somebody is to come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from bcc.core import clock, transactions
from bcc.core.actors import Actor
from bcc.core.errors import ConflictError
from bcc.core.intervals import Interval
from facilities.models import Closure, Facility, FacilitySpace, Publishing, Space
from facilities.services.fit import require_facility_fits
from reservations.models import Reservation, ReservationEvent, SlotClaim
from reservations.models.reservation import Type
from reservations.policies.states import State, may_move
from reservations.policies.terms import FacilityFacts
from reservations.selectors.closures import coming_bookings, get_hits
from reservations.selectors.rulebook import Rules, current_rules
from reservations.services.cancel import cancel_by_club
from reservations.services.errors import UndecidedBookingsError
from reservations.services.move import announce, change, mover_of, write_event

DAY: Final = timedelta(days=1)
# What the claims of a space are made of: another value and present claims would mean something else.
CLAIMED_BY: Final = ("grid", "lanes")
CLAIMED_BY_NIGHT: Final = ("check_in_at", "check_out_at")


class Decision(StrEnum):
    KEEP = "keep"
    CANCEL = "cancel"


Decisions = Mapping[int, Decision]


class FutureClaimsError(ConflictError):
    """The grid, the lanes or the spaces of something cannot change under coming bookings."""

    code = "future_claims"


class SpaceInUseError(ConflictError):
    """A space cannot be retired while a facility that is not retired uses it."""

    code = "space_in_use"
    default_detail = gettext_lazy("A facility uses this space. Retire the facility first.")


# --------------------------------------------------------------------------------------------- closures


@transactions.writes
def close(*, closure: Closure, decisions: Decisions, by: Actor, now: datetime) -> Closure:
    """Put a closure in force, or change one: under the lock, with a decision for every booking it hits.

    What the closure in force hits already and staff did not cancel stays kept unless ``decisions`` say
    otherwise, and its members are not told again. Raises UndecidedBookingsError.
    """
    rules = current_rules()
    if closure.space_id is not None:
        space_ids = [closure.space_id]
    else:
        space_ids = [space.id for space in rules.facilities[closure.facility_id or 0].spaces]
    lock_for(decisions, rules=rules, space_ids=space_ids)
    # Looked at under the lock: a booking may have come since staff saw the list.
    decide(
        list(get_hits(closure, now=now)),
        decisions=decisions,
        by=by,
        reason=closure.reason,
        now=now,
        tell=closure.handling != Closure.Handling.KEEP,
        kept=_kept_before(closure, now=now),
    )
    closure.confirmed_at = closure.confirmed_at or now
    closure.save()
    return closure


def _kept_before(closure: Closure, *, now: datetime) -> frozenset[int]:
    """What the same closure, as it stands in force, hits. Another handling asks about all of it anew."""
    stored = Closure.objects.filter(
        pk=closure.pk, handling=closure.handling, confirmed_at__isnull=False
    ).first()
    return frozenset() if stored is None else frozenset(hit.pk for hit in get_hits(stored, now=now))


@transactions.writes
def lift_closure(*, closure: Closure, now: datetime) -> Closure:
    """End a closure early; one that has not begun is as if it never was."""
    if closure.starts_at >= now:
        closure.delete()
        return closure
    closure.ends_at = min(closure.ends_at, now)
    closure.save()
    return closure


# -------------------------------------------------------------------------------------------- decisions


def lock_for(decisions: Decisions, *, rules: Rules, space_ids: Iterable[int]) -> None:
    """All that carrying ``decisions`` out will lock: memberships first, then spaces, by id.

    Who has no decision is not touched, only listed, so their memberships need no lock.
    """
    decided = list(Reservation.objects.filter(pk__in=list(decisions)).only("membership_id", "facility_id"))
    its_spaces = {space.id for one in decided for space in rules.facilities[one.facility_id].spaces}
    memberships = {one.membership_id for one in decided if one.membership_id is not None}
    transactions.lock_rows(Membership, memberships)
    transactions.lock_rows(Space, its_spaces | set(space_ids))


def can_be_cancelled(reservation: Reservation, *, by: Actor) -> bool:
    """Whether the club can still cancel it: who is there already can only be spoken to."""
    return may_move(State(reservation.state), State.CANCELLED_CLUB, mover_of(by))


def decide(
    hits: list[Reservation],
    *,
    decisions: Decisions,
    by: Actor,
    reason: str,
    now: datetime,
    tell: bool = True,
    kept: AbstractSet[int] = frozenset(),
) -> None:
    """Carry staff's decisions out. Raises UndecidedBookingsError unless every hit has one.

    A cancellation of what cannot be cancelled any more is no decision. ``kept`` are those that were kept
    before: they stay so in silence. With ``tell`` the members of kept ones are told the reason; those
    whose booking is cancelled always are.
    """
    wanted = {hit.pk: decisions.get(hit.pk, Decision.KEEP if hit.pk in kept else None) for hit in hits}
    undecided = [
        hit
        for hit in hits
        if wanted[hit.pk] is None or (wanted[hit.pk] is Decision.CANCEL and not can_be_cancelled(hit, by=by))
    ]
    if undecided:
        raise UndecidedBookingsError(undecided, hits=hits, kept=kept)
    for hit in hits:
        if wanted[hit.pk] is Decision.CANCEL:
            cancel_by_club(reservation=hit, by=by, reason=reason, now=now)
        elif hit.pk not in kept:
            _keep(hit, by=by, reason=reason, now=now, tell=tell)


def _keep(hit: Reservation, *, by: Actor, reason: str, now: datetime, tell: bool) -> None:
    change(hit, now=now, values={"needs_attention": True})
    write_event(
        hit, action=ReservationEvent.Action.KEPT, source=State(hit.state), by=by, now=now, reason=reason
    )
    if tell:
        announce(hit, kind="reservation_kept", now=now, reason=reason)


# ------------------------------------------------------------------------------------- hours, retiring


@transactions.writes
def change_hours(
    *,
    facilities: Collection[Facility],
    apply: Callable[[], None],
    decisions: Decisions,
    by: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Run ``apply``, which writes hours or holidays, and ask about members' bookings that it leaves outside.

    ``facilities`` are all those whose hours it may change. What was outside before is no concern of this
    change. Raises UndecidedBookingsError, and MisfitError where slots would no longer start on the cells
    of a space.
    """
    before = current_rules()
    concerned = {one.pk: before.facilities[one.pk] for one in facilities}
    spaces = {space.id for facts in concerned.values() for space in facts.spaces}
    lock_for(decisions, rules=before, space_ids=spaces)
    coming = list(coming_bookings(concerned, now=now).filter(type=Type.NORMAL))
    apply()
    after = current_rules()
    for facility in facilities:
        if after.facilities[facility.pk].periods != concerned[facility.pk].periods:
            require_facility_fits(facility, on=clock.local_date(now))
    stranded = [
        one
        for one in coming
        if is_open(before, concerned[one.facility_id], one.interval)
        and not is_open(after, after.facilities[one.facility_id], one.interval)
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
    spaces = [space.id for space in rules.facilities[facility.pk].spaces]
    lock_for(decisions, rules=rules, space_ids=spaces)
    coming = list(coming_bookings([facility.pk], now=now))
    decide(coming, decisions=decisions, by=by, reason=reason, now=now)
    facility.state = Publishing.RETIRED
    facility.save(update_fields=["state", "updated_at"])
    return facility


# ----------------------------------------------------------------------------------------------- spaces


@transactions.writes
def change_space(*, space: Space, fields: Collection[str], now: datetime) -> Space:
    """Save the named ``fields`` of a space; all of them when it is new.

    Raises FutureClaimsError if claims would change their meaning (or the space is retired) while
    somebody is to come, SpaceInUseError if it is retired under a facility, and MisfitError if slots of
    one would no longer fall on its cells.
    """
    stored = Space.objects.filter(pk=space.pk).first()
    if stored is None:
        space.save()
        return space
    nightly = CLAIMED_BY_NIGHT if stored.is_nightly or space.is_nightly else ()
    if any(getattr(stored, name) != getattr(space, name) for name in (*CLAIMED_BY, *nightly)):
        require_no_future_claims(space, now=now)
    users = [link.facility for link in FacilitySpace.objects.filter(space=space).select_related("facility")]
    if space.is_retired and not stored.is_retired:
        require_no_future_claims(space, now=now)
        require_no_facility_uses(space, users)
    if fields:
        space.save(update_fields=list(fields))
    if space.grid != stored.grid:
        for facility in users:
            require_facility_fits(facility, on=clock.local_date(now))
    return space


@transactions.writes
def change_spaces(*, facility: Facility, apply: Callable[[], None], now: datetime) -> None:
    """Run ``apply``, which writes the spaces that a facility uses.

    Raises FutureClaimsError while it has coming bookings, because they hold claims on the spaces of
    today, and MisfitError if its slots do not fall on the cells of the new ones.
    """
    links = FacilitySpace.objects.filter(facility=facility)
    transactions.lock_rows(Space, links.values_list("space_id", flat=True))
    last = coming_bookings([facility.pk], now=now).last()
    if last is not None:
        text = _("%(facility)s has bookings until %(until)s (%(who)s). Move them, or wait until then.")
        raise FutureClaimsError(text % {"facility": facility.name, **_last_booking(last)})
    apply()
    require_facility_fits(facility, on=clock.local_date(now))


def require_no_future_claims(space: Space, *, now: datetime) -> None:
    """Raise FutureClaimsError, which says which, while anybody is to come. Under the space's lock."""
    transactions.lock_rows(Space, [space.pk])
    last = (
        SlotClaim.objects.filter(space_id=space.pk, reservation__ends_at__gt=now)
        .select_related("reservation__facility", "reservation__member")
        .order_by("-cell_start", "-pk")
        .first()
    )
    if last is not None:
        text = _("%(space)s is booked until %(until)s (%(facility)s, %(who)s). Move the bookings or wait.")
        booked = last.reservation
        values = {"space": space.name, "facility": booked.facility.name, **_last_booking(booked)}
        raise FutureClaimsError(text % values)


def require_no_facility_uses(space: Space, users: Iterable[Facility]) -> None:
    """Raise SpaceInUseError, which names them, while a facility that is not retired is on the space."""
    names = sorted(facility.name for facility in users if facility.state != Publishing.RETIRED)
    if names:
        text = _("%(space)s is used by %(facilities)s. Retire that first, or take the space out there.")
        raise SpaceInUseError(text % {"space": space.name, "facilities": ", ".join(names)})


def _last_booking(reservation: Reservation) -> dict[str, str]:
    who = reservation.member.full_name if reservation.member is not None else reservation.title
    return {
        "until": date_format(reservation.ends_at.astimezone(clock.zone()), "j F Y, H:i"),
        "who": who or reservation.get_type_display(),
    }
