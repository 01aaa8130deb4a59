"""Quote and create: the main job of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError, NotFoundError, RuleError, RuleFailure
from bcc.core.intervals import Interval
from bcc.core.prepared import PreparedInsert
from facilities.models import Space
from facilities.policies.plain_language import Stay, read_terms
from reservations.models import Guest, Participant, Reservation, ReservationEvent, Type
from reservations.policies import rules as club_rules
from reservations.policies.ask import Ask
from reservations.policies.deadlines import deadline, entry_state
from reservations.policies.pricing import estimate
from reservations.policies.states import State
from reservations.policies.terms import FacilityFacts, MemberFacts, Terms
from reservations.selectors.alternatives import Moving, find_alternatives
from reservations.selectors.lines import detail_of
from reservations.selectors.rulebook import Rules, remembered_rules
from reservations.selectors.situation import (
    Party,
    get_member_and_rules,
    load_situation,
)
from reservations.services import messages
from reservations.services.claims import claiming, take_claims
from reservations.services.errors import Refusal, SlotTakenError, TooLateToCancelError, refusal
from reservations.services.expiry import expire_in_the_way
from reservations.services.move import signal, write_event
from reservations.services.party import Companion as Companion
from reservations.services.party import (
    Companions,
    find_companions,
    guest_facts,
    party_of,
    register_guests,
    write_participants,
)
from reservations.signals import booking_refused

NOT_BOOKABLE = "not_bookable"
RESERVATIONS = PreparedInsert(Reservation)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to book. ``party`` counts everyone, the member included."""

    facility: UUID
    starts_at: datetime
    ends_at: datetime
    party: int = 1
    companions: tuple[Companion, ...] | None = None
    notes: str = ""

    @property
    def interval(self) -> Interval:
        """Raises InvalidError for an end that is not after the start."""
        if self.ends_at <= self.starts_at:
            raise InvalidError(
                errors={
                    "ends_at": [
                        ("not_after_start", _("It must be later than the start. Correct one of the two."))
                    ]
                }
            )
        return Interval(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a booking would be: its state, its deadline and its terms. Nothing is held."""

    facility: FacilityFacts
    interval: Interval
    party: int
    state: State
    expires_at: datetime | None
    estimate: Decimal | None
    terms: tuple[str, ...]
    currency: str


def get_bookable(rules: Rules, public_id: UUID, now: datetime) -> FacilityFacts:
    """The facility as members see it; NotFoundError for one that is not shown."""
    facility = rules.facility(public_id)
    if facility is None or not facility.is_shown(now):
        raise NotFoundError
    return facility


def get_terms(facility: FacilityFacts, interval: Interval, member: MemberFacts, rules: Rules) -> Terms:
    """The terms for the member on the day; RuleError where the facility is not for booking then."""
    terms = facility.terms_on(interval.starts_at.astimezone(rules.zone).date(), member.category_id)
    if terms is None:
        raise RuleError(
            [RuleFailure(NOT_BOOKABLE, str(_("This facility cannot be booked in the app. Call the club.")))]
        )
    return terms


def quote(*, wish: Wish, member_id: int, now: datetime) -> Quote:
    """Judge the wish by every rule without holding anything.

    Raises the same refusals as a booking: RuleError, SlotTakenError, NotFoundError, InvalidError.
    """
    member, rules = known = get_member_and_rules(member_id=member_id, now=now)
    with offering_alternatives(
        wish=wish, member_id=member_id, now=now, named=wish.companions is not None, known=known
    ):
        facility = get_bookable(rules, wish.facility, now)
        interval = wish.interval
        named = None
        if wish.companions is not None:
            named = find_companions(wish.companions, party=wish.party, member=member)
        terms = get_terms(facility, interval, member, rules)
        on = interval.starts_at.astimezone(rules.zone).date()
        party = (
            Party(wish.party)
            if named is None
            else party_of(named, size=wish.party, on=on, terms=terms, now=now)
        )
        ask = _judge(facility, terms, interval, party, member, rules, now)
        state = entry_state(terms, hold=True)
        return Quote(
            facility=facility,
            interval=interval,
            party=wish.party,
            state=state,
            expires_at=deadline(state, terms, starts_at=interval.starts_at, now=now),
            estimate=estimate(ask),
            terms=say_terms(terms, facility),
            currency=settings.CLUB_CURRENCY,
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """A new reservation with what it was judged by."""

    reservation: Reservation
    facility: FacilityFacts
    terms: Terms
    member: MemberFacts
    companions: Companions

    def shown(self) -> dict[str, Any]:
        """What the member is shown of it, as a look at it would say; no query."""
        people = [(Participant.Kind.MEMBER, self.member.public_id, self.member.name)]
        people += [(Participant.Kind.MEMBER, one.public_id, one.name) for one in self.companions.members]
        people += [(Participant.Kind.GUEST, one.public_id, one.name) for one in self.companions.guests]
        people += [(Participant.Kind.TBD, None, "")] * self.companions.unnamed
        return detail_of(
            self.reservation,
            facility=self.facility,
            member=self.member,
            terms=self.terms,
            people=people,
        )


def create_reservation(
    *,
    wish: Wish,
    member_id: int,
    membership_id: int,
    by: Actor,
    now: datetime,
    waive: bool = False,
    reason: str = "",
) -> Reservation:
    """``book``, for who wants the reservation alone."""
    return book(
        wish=wish,
        member_id=member_id,
        membership_id=membership_id,
        by=by,
        now=now,
        waive=waive,
        reason=reason,
    ).reservation


@transactions.writes
def book(
    *,
    wish: Wish,
    member_id: int,
    membership_id: int,
    by: Actor,
    now: datetime,
    waive: bool = False,
    reason: str = "",
) -> Booked:
    """Book for a member: lock, judge every rule, expire what is in the way, write, tell them once.

    ``waive`` is staff's word to set aside the house rules (never the place itself); ``reason`` says why.
    Raises SlotTakenError when only the place is taken, RuleError with every rule that failed,
    NotFoundError for a facility or companion that is not there, InvalidError for a backward interval.
    """
    interval = wish.interval
    transactions.lock_rows(Membership, [membership_id])
    member, rules = _lock_spaces_and_look(wish.facility, member_id=member_id, now=now)
    facility = get_bookable(rules, wish.facility, now)
    companions = find_companions(wish.companions or (), party=wish.party, member=member)
    terms = get_terms(facility, interval, member, rules)
    starts_on = interval.starts_at.astimezone(rules.zone).date()
    party = party_of(companions, size=wish.party, on=starts_on, terms=terms, now=now)
    due: list[int] = []
    _judge(facility, terms, interval, party, member, rules, now, waive=waive, due=due)
    if due:
        # They do not count above, and give their claims back before anybody takes them.
        space_ids = [space.id for space in facility.spaces]
        expire_in_the_way(space_ids=space_ids, interval=interval, membership_id=membership_id, now=now)

    # Staff may book what has begun, for somebody who walks in: there is nothing left to confirm.
    state = entry_state(terms, hold=not by.is_staff) if interval.starts_at > now else State.CONFIRMED
    reservation = Reservation(
        facility_id=facility.id,
        member_id=member_id,
        membership_id=membership_id,
        booked_by_id=by.user_id,
        policy_version_id=terms.version_id,
        type=Type.NORMAL,
        state=state,
        starts_at=interval.starts_at,
        ends_at=interval.ends_at,
        starts_on=starts_on,
        expires_at=deadline(state, terms, starts_at=interval.starts_at, now=now),
        party=wish.party,
        guest_count=len(party.guests),
        nights=(interval.ends_at.astimezone(rules.zone).date() - starts_on).days
        if facility.is_nightly
        else 0,
        lanes=facility.lanes_for(wish.party),
        buffer_before_minutes=int(terms.buffer_before.total_seconds() // 60),
        buffer_after_minutes=int(terms.buffer_after.total_seconds() // 60),
        notes=wish.notes,
        created_at=now,
    )
    RESERVATIONS.one(reservation)
    with claiming():
        take_claims(reservation, facility=facility, interval=interval, lanes=reservation.lanes, rules=rules)
        write_participants(reservation, member_id=member_id, companions=register_guests(companions))
        write_event(
            reservation,
            action=ReservationEvent.Action.CREATED,
            source=None,
            by=by,
            now=now,
            reason=reason,
            details={"rules_waived": True} if waive else {},
        )
        messages.tell(
            reservation,
            kind=messages.kind_of(state),
            user_id=member.user_id,
            now=now,
            facility_name=facility.name,
        )
    messages.push_change(reservation, member.user_public_id)
    signal(reservation, now)
    return Booked(reservation, facility, terms, member, companions)


def _lock_spaces_and_look(public_id: UUID, *, member_id: int, now: datetime) -> tuple[MemberFacts, Rules]:
    """Lock the facility's spaces, and then read the member and the rules.

    In this order: a closure is put in force under the same locks, and one that was first must be seen.
    Which spaces they are is taken from memory; where that is not true any more, the rest is locked too.
    """
    rules, locked = remembered_rules(), set[int]()
    while True:
        wanted = rules.spaces_of(public_id)
        transactions.lock_rows(Space, wanted - locked)
        locked |= wanted
        member, rules = get_member_and_rules(member_id=member_id, now=now)
        if rules.spaces_of(public_id) <= locked:
            return member, rules


@contextmanager
def offering_alternatives(
    *,
    wish: Wish,
    member_id: int,
    now: datetime,
    named: bool = True,
    moving: Reservation | None = None,
    known: tuple[MemberFacts, Rules] | None = None,
) -> Iterator[None]:
    """Give a refusal the times that would pass, and announce it, outside of the booking's transaction.

    ``named`` False: an open quote, before anybody is named. ``moving`` is the reservation that is to be
    moved, with its own party. ``known`` is the member and the rules where they were just read.
    """
    try:
        yield
    except (RuleError, SlotTakenError) as refused:
        if refused.rules and not isinstance(refused, TooLateToCancelError):
            found = find_alternatives(
                facility_id=wish.facility,
                starts_at=wish.starts_at,
                ends_at=wish.ends_at,
                party=_refused_party(wish, member_id, now, named=named, moving=moving),
                member_id=member_id,
                now=now,
                moving=None
                if moving is None
                else Moving(moving.pk, moving.policy_version_id, moving.interval, moving.reschedules),
                known=known,
            )
            refused.alternatives = [dict(one) for one in found]
        announce_refusal(refused, wish=wish, member_id=member_id, now=now)
        raise


def _refused_party(
    wish: Wish, member_id: int, now: datetime, *, named: bool, moving: Reservation | None
) -> Party:
    """The party as it was judged: the same people must pass at another time."""
    if moving is not None:
        brought = Guest.objects.filter(visits__reservation=moving).order_by("pk")
        return Party(moving.party, tuple(guest_facts(guest) for guest in brought))
    if not wish.companions:
        unnamed = wish.party - 1 if named else 0
        return Party(wish.party, unnamed=unnamed, names_given=named)
    member, _rules = get_member_and_rules(member_id=member_id, now=now)
    found = find_companions(wish.companions, party=wish.party, member=member)
    guests = tuple(guest_facts(guest) for guest in found.guests)
    return Party(wish.party, guests, unnamed=found.unnamed, names_given=True)


def announce_refusal(refused: Refusal, *, wish: Wish, member_id: int, now: datetime) -> None:
    rules = sorted({rule.code for rule in refused.rules} or {refused.code})

    def send() -> None:
        booking_refused.send(
            sender=Reservation,
            facility=wish.facility,
            member_id=member_id,
            rules=rules,
            starts_at=wish.starts_at,
            at=now,
        )

    transactions.after_commit(send)


def _judge(
    facility: FacilityFacts,
    terms: Terms,
    interval: Interval,
    party: Party,
    member: MemberFacts,
    rules: Rules,
    now: datetime,
    *,
    waive: bool = False,
    due: list[int] | None = None,
) -> Ask:
    situation = load_situation(
        rules=rules, member=member, facilities=[facility], window=interval, now=now, due=due
    )
    ask = situation.ask(facility, terms, interval, party)
    failures = club_rules.judge(ask, club_rules.PHYSICAL if waive else club_rules.ALL)
    if failures:
        raise refusal(failures)
    return ask


def say_terms(terms: Terms, facility: FacilityFacts) -> tuple[str, ...]:
    """The terms in plain language, as they are at the facility."""
    stay = None
    if facility.is_nightly:
        stay = Stay(facility.spaces[0].check_in_at, facility.spaces[0].check_out_at)
    return tuple(sentence.text for sentence in read_terms(terms, currency=settings.CLUB_CURRENCY, stay=stay))
