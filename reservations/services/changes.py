"""Confirm, decide, reschedule, and the party: what happens to a reservation that stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import RuleFailure, WrongStateError
from bcc.core.intervals import Interval
from reservations.models import Participant, Reservation, ReservationEvent, SlotClaim
from reservations.policies import rules as club_rules
from reservations.policies.cancellation import Verdict, judge_cancellation
from reservations.policies.deadlines import deadline, entry_state, state_after_approval
from reservations.policies.states import DEADLINED, OCCUPYING, State
from reservations.policies.terms import Terms
from reservations.selectors.rulebook import Rules, current_rules, terms_of
from reservations.selectors.situation import Party, get_member_and_rules, load_guest_visits, load_situation
from reservations.services.booking import Wish
from reservations.services.claims import take_claims
from reservations.services.errors import ReservationMovedOnError, TooLateToCancelError, refusal
from reservations.services.expiry import expire_in_the_way
from reservations.services.move import announce, change, locked, move, write_event
from reservations.services.party import (
    Companion,
    find_companions,
    party_of,
    register_guests,
    write_participants,
)


def own_terms(reservation: Reservation, rules: Rules) -> Terms:
    """The terms of the reservation's own policy version, whatever the policy says now."""
    version = reservation.policy_version
    if version is None:
        raise ReservationMovedOnError
    return rules.terms.get(version.pk) or terms_of(version)


@transactions.writes
def confirm_reservation(*, reservation: Reservation, by: Actor, now: datetime) -> Reservation:
    """Leave the hold, or confirm what waits for it; a confirmed one stays as it is.

    A deadline that has passed is a wrong state even if the scheduler is late.
    """
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.state == State.CONFIRMED:
        return reservation
    if is_due(reservation, now):
        raise ReservationMovedOnError
    if reservation.state == State.HELD:
        terms = own_terms(reservation, rules)
        return move(reservation, to=entry_state(terms, hold=False), by=by, now=now, terms=terms)
    if reservation.state == State.PENDING_CONFIRMATION:
        return move(reservation, to=State.CONFIRMED, by=by, now=now)
    raise ReservationMovedOnError


@transactions.writes
def decide_approval(
    *, reservation: Reservation, approve: bool, by: Actor, reason: str, now: datetime
) -> Reservation:
    """Staff's yes or no to what waits for approval, until its deadline: what the member was told."""
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.state != State.PENDING_APPROVAL or is_due(reservation, now):
        raise ReservationMovedOnError
    if not approve:
        return move(reservation, to=State.DENIED, by=by, now=now, reason=reason)
    terms = own_terms(reservation, rules)
    return move(reservation, to=state_after_approval(terms), by=by, now=now, terms=terms, reason=reason)


@transactions.writes
def reschedule_reservation(
    *,
    reservation: Reservation,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    now: datetime,
    waive: bool = False,
    reason: str = "",
) -> Reservation:
    """Move the interval: state, id and policy version stay; claims and deadline follow.

    Judged by its own policy version and the quotas in force now, as if it were not there yet.
    Raises RuleError, SlotTakenError, WrongStateError, and TooLateToCancelError inside the cut-off.
    """
    interval = Wish(reservation.facility.public_id, starts_at, ends_at).interval
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.state not in (*DEADLINED, State.CONFIRMED) or reservation.member_id is None:
        raise ReservationMovedOnError
    if is_due(reservation, now):
        raise ReservationMovedOnError
    member, rules = get_member_and_rules(member_id=reservation.member_id, now=now)
    terms = own_terms(reservation, rules)
    if not waive:
        # Whatever a late cancellation costs: moving it away first would let it be given back for nothing.
        refuse_when_late(reservation, terms, now, set(Verdict) - {Verdict.FREE})
    facility = rules.facilities[reservation.facility_id]
    expire_in_the_way(
        space_ids=[space.id for space in facility.spaces],
        interval=interval,
        membership_id=reservation.membership_id,
        now=now,
    )
    guest_ids = list(reservation.participants.filter(guest__isnull=False).values_list("guest_id", flat=True))
    starts_on = interval.starts_at.astimezone(rules.zone).date()
    guests = load_guest_visits(
        guest_ids=guest_ids, on=starts_on, terms=terms, now=now, ignoring=reservation.pk
    )
    situation = load_situation(
        rules=rules, member=member, facilities=[facility], window=interval, now=now, ignoring=reservation.pk
    )
    ask = situation.ask(
        facility, terms, interval, Party(reservation.party, guests), reschedules=reservation.reschedules
    )
    failures = club_rules.judge(ask, club_rules.PHYSICAL if waive else club_rules.ALL)
    if failures:
        raise refusal(failures)

    state = State(reservation.state)
    before = reservation.interval
    SlotClaim.objects.filter(reservation_id=reservation.pk).delete()
    change(
        reservation,
        now=now,
        values={
            "starts_at": interval.starts_at,
            "ends_at": interval.ends_at,
            "starts_on": starts_on,
            "nights": ask.nights,
            "reschedules": reservation.reschedules + 1,
            "expires_at": _moved_deadline(reservation, state, terms, interval, now),
        },
    )
    take_claims(reservation, facility=facility, interval=interval, lanes=reservation.lanes, rules=rules)
    write_event(
        reservation,
        action=ReservationEvent.Action.RESCHEDULED,
        source=state,
        by=by,
        now=now,
        reason=reason,
        details={
            "from": [before.starts_at.isoformat(), before.ends_at.isoformat()],
            "to": [interval.starts_at.isoformat(), interval.ends_at.isoformat()],
        },
    )
    announce(reservation, kind="reservation_rescheduled", now=now, reason=reason)
    return reservation


def _moved_deadline(
    reservation: Reservation, state: State, terms: Terms, interval: Interval, now: datetime
) -> datetime | None:
    """A hold or an approval keeps its deadline; one that follows the start follows it, and none passes it."""
    given = reservation.expires_at
    if given is None or state not in DEADLINED:
        return None
    if state is State.PENDING_CONFIRMATION:
        return deadline(state, terms, starts_at=interval.starts_at, now=now)
    return min(given, interval.starts_at)


def is_due(reservation: Reservation, now: datetime) -> bool:
    """Whether its deadline has passed, even if the scheduler is late."""
    return reservation.expires_at is not None and reservation.expires_at <= now


def refuse_when_late(
    reservation: Reservation,
    terms: Terms,
    now: datetime,
    refused: Collection[Verdict] = frozenset({Verdict.DENIED}),
) -> None:
    """Inside a cut-off that denies, nothing can be given back; how long it is is in the refusal."""
    judged = judge_cancellation(
        terms=terms, state=State(reservation.state), starts_at=reservation.starts_at, now=now
    )
    if judged.verdict in refused:
        raise TooLateToCancelError(
            [
                RuleFailure(
                    TooLateToCancelError.code,
                    _("It can no longer be changed in the app. Call the club."),
                    limit=int(terms.cancellation_cutoff.total_seconds() // 60),
                    current=max(0, int((reservation.starts_at - now).total_seconds() // 60)),
                )
            ]
        )


@transactions.writes
def set_participants(
    *, reservation: Reservation, companions: tuple[Companion, ...], by: Actor, now: datetime
) -> Reservation:
    """Name the companions anew; the party's size stays. Raises RuleError and InvalidError."""
    rules = current_rules()
    reservation = locked(reservation, rules)
    if reservation.state not in OCCUPYING or reservation.member_id is None:
        raise ReservationMovedOnError
    member, rules = get_member_and_rules(member_id=reservation.member_id, now=now)
    terms = own_terms(reservation, rules)
    found = find_companions(companions, party=reservation.party, member=member)
    party = party_of(
        found, size=reservation.party, on=reservation.starts_on, terms=terms, now=now, ignoring=reservation.pk
    )
    facility = rules.facilities[reservation.facility_id]
    situation = load_situation(
        rules=rules,
        member=member,
        facilities=[facility],
        window=reservation.interval,
        now=now,
        ignoring=reservation.pk,
    )
    ask = situation.ask(facility, terms, reservation.interval, party)
    failures = club_rules.judge(ask, club_rules.PARTY)
    if failures:
        raise refusal(failures)
    Participant.objects.filter(reservation_id=reservation.pk).delete()
    write_participants(reservation, member_id=reservation.member_id, companions=register_guests(found))
    change(reservation, now=now, values={"guest_count": len(found.guests)})
    write_event(
        reservation,
        action=ReservationEvent.Action.PARTY_CHANGED,
        source=State(reservation.state),
        by=by,
        now=now,
        details={"guests": len(found.guests), "unnamed": found.unnamed},
    )
    return reservation


@transactions.writes
def assign_room(*, reservation: Reservation, room_no: str, by: Actor, now: datetime) -> Reservation:
    """Write the room that the desk gives; claims are of the type, so they do not move."""
    reservation = locked(reservation, current_rules())
    if reservation.state not in OCCUPYING:
        raise WrongStateError
    change(reservation, now=now, values={"room_no": room_no})
    write_event(
        reservation,
        action=ReservationEvent.Action.ROOM_ASSIGNED,
        source=State(reservation.state),
        by=by,
        now=now,
        details={"room": room_no},
    )
    return reservation
