"""Bookings and people as the front desk looks for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Q

from accounts.models import Member, Standing
from accounts.policies.identifiers import member_number_key
from bcc.core.intervals import Interval
from reservations.models import Guest, Participant, Reservation, Type
from reservations.policies.states import DEADLINED, OCCUPYING, State
from reservations.policies.terms import FacilityFacts, Terms
from reservations.selectors.rulebook import Rules

# Over, but the place was used: it stays on the board.
TOOK_PLACE: Final = frozenset({State.COMPLETED, State.NO_SHOW})
MOST_MEMBERS: Final = 12


@dataclass(frozen=True, slots=True)
class DeskBooking:
    """A booking with its people and what the desk should look at.

    ``attention`` holds codes: flagged, approval, unconfirmed, unnamed, late, standing, no_room.
    """

    row: Reservation
    facility: FacilityFacts
    companions: tuple[Participant, ...]
    unnamed: int
    attention: tuple[str, ...]

    @property
    def is_for_member(self) -> bool:
        return self.row.member_id is not None

    @property
    def is_standing(self) -> bool:
        return self.row.state in OCCUPYING

    @property
    def took_place(self) -> bool:
        return self.row.state in TOOK_PLACE


def load_bookings(rules: Rules, window: Interval, now: datetime, on: date) -> dict[int, DeskBooking]:
    """Every booking that touches the window, by key, in order of time. Two queries."""
    overdue = Q(state__in=sorted(DEADLINED), expires_at__lte=now)
    rows = (
        Reservation.objects.overlapping(window)
        .exclude(overdue)
        .select_related("facility", "member", "membership")
        .order_by("starts_at", "pk")
    )
    people: dict[int, list[Participant]] = defaultdict(list)
    # By the same window and not by a list of keys: a busy day has more than a statement may name.
    for person in (
        Participant.objects.filter(
            reservation__starts_at__lt=window.ends_at, reservation__ends_at__gt=window.starts_at
        )
        .select_related("member", "guest")
        .order_by("reservation_id", "position", "pk")
    ):
        people[person.reservation_id].append(person)
    return {
        row.pk: _desk_booking(row, rules, people[row.pk], now, on)
        for row in rows
        if row.facility_id in rules.facilities
    }


def _desk_booking(
    row: Reservation, rules: Rules, people: Sequence[Participant], now: datetime, on: date
) -> DeskBooking:
    facility = rules.facilities[row.facility_id]
    terms = None if row.policy_version_id is None else rules.terms.get(row.policy_version_id)
    unnamed = sum(person.kind == Participant.Kind.TBD for person in people)
    companions = tuple(
        person
        for number, person in enumerate(people)
        if person.kind != Participant.Kind.TBD and not (number == 0 and person.member_id == row.member_id)
    )
    return DeskBooking(row, facility, companions, unnamed, tuple(_attention(row, terms, unnamed, now, on)))


def _attention(row: Reservation, terms: Terms | None, unnamed: int, now: datetime, on: date) -> list[str]:
    if row.state not in OCCUPYING:
        return []
    found = []
    if row.needs_attention:
        found.append("flagged")
    if row.state == State.PENDING_APPROVAL:
        found.append("approval")
    if row.state in (State.HELD, State.PENDING_CONFIRMATION):
        found.append("unconfirmed")
    if unnamed and terms is not None and terms.guest_names_required:
        found.append("unnamed")
    is_expected = row.state == State.CONFIRMED and row.type == Type.NORMAL
    if is_expected and row.starts_at <= now < row.ends_at and terms and terms.no_show_after_minutes:
        found.append("late")
    if row.membership is not None and row.membership.standing != Standing.GOOD:
        found.append("standing")
    if row.nights and row.starts_on == on and not row.room_no and row.type == Type.NORMAL:
        found.append("no_room")
    return found


def find_members(text: str) -> list[Member]:
    """Whom the desk may mean: the one with that number, else those with every word in name or number.

    At most MOST_MEMBERS, by name.
    """
    people = Member.objects.with_household()
    key = member_number_key(text)
    exact = people.filter(member_no_key=key).first() if key else None
    if exact is not None:
        return [exact]
    words = text.split()
    if not words:
        return []
    for word in words:
        part = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        if member_number_key(word):
            part |= Q(member_no_key__contains=member_number_key(word))
        people = people.filter(part)
    return list(people.order_by("last_name", "first_name", "pk")[:MOST_MEMBERS])


def find_guests(*, host: Member, names: Sequence[str]) -> dict[str, Guest]:
    """Guests whom the household has brought before, by their names in lower case."""
    guests = Guest.objects.filter(host__membership_id=host.membership_id).order_by("-pk")
    wanted = {name.casefold() for name in names}
    return {guest.name.casefold(): guest for guest in guests if guest.name.casefold() in wanted}


def find_member_numbers(texts: Sequence[str]) -> dict[str, Member]:
    """Members by the key of their number, of those texts that are one."""
    keys = {key for text in texts if (key := member_number_key(text))}
    return {member.member_no_key: member for member in Member.objects.filter(member_no_key__in=keys)}
