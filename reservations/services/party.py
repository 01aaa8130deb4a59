"""Who comes along: companions as somebody names them, looked up, counted and written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from bcc.core.errors import InvalidError
from bcc.core.prepared import PreparedInsert
from reservations.models import Guest, Participant, Reservation
from reservations.policies.terms import GuestVisit, MemberFacts, Terms
from reservations.selectors.situation import Party, load_guest_visits

_PARTICIPANTS = PreparedInsert(Participant)


@dataclass(frozen=True, slots=True)
class Companion:
    """One more of the party: a member, a guest of the household's list, or a guest by name."""

    member: UUID | None = None
    guest: UUID | None = None
    guest_name: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A member who comes along."""

    pk: int
    public_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Companions:
    """The companions of a wish. A guest without a key is new; ``unnamed`` are the rest of the party."""

    members: tuple[Named, ...] = ()
    guests: tuple[Guest, ...] = ()
    unnamed: int = 0


def find_companions(given: tuple[Companion, ...], *, party: int, member: MemberFacts) -> Companions:
    """Look the companions up; nothing is written.

    A name that is on the household's list is that guest, so that who is named anew each time still comes
    as often as the same guest may. Raises InvalidError for somebody who is not there or is named twice,
    and for more companions than the party has places.
    """
    if len(given) > party - 1:
        raise _invalid("party_too_small", _("There are more people than the party has places. Raise party."))
    members = _members_of(given)
    listed = _guests_of(given, member)
    if any(one.member not in members for one in given if one.member is not None) or any(
        one.guest not in listed for one in given if one.guest is not None
    ):
        raise _invalid("unknown_person", _("There is no such member or guest. Check the list."))
    people = [members[one.member] for one in given if one.member is not None]
    persons = {member.member_id, *(one.pk for one in people)}
    chosen = [listed[one.guest] for one in given if one.guest is not None]
    if len(persons) <= len(people) or len({guest.pk for guest in chosen}) < len(chosen):
        raise _invalid("named_twice", _("Somebody is named twice. Name each person once."))
    for one in given:
        if one.guest_name:
            chosen.append(_guest_named(one.guest_name, listed.values(), chosen, member))
    return Companions(tuple(people), tuple(chosen), party - 1 - len(given))


def register_guests(companions: Companions) -> Companions:
    """Put guests who are named for the first time on the list, inside the caller's transaction."""
    for guest in companions.guests:
        if is_new(guest):
            guest.save(force_insert=True)
    return companions


def is_new(guest: Guest) -> bool:
    return guest._state.adding


def party_of(
    companions: Companions, *, size: int, on: date, terms: Terms, now: datetime, ignoring: int | None = None
) -> Party:
    """The named party as the rules read it: each guest with the visits around the day."""
    known = [guest.pk for guest in companions.guests if not is_new(guest)]
    visits = (
        load_guest_visits(guest_ids=known, on=on, terms=terms, now=now, ignoring=ignoring) if known else ()
    )
    by_id = {visit.guest_id: visit for visit in visits}
    guests = tuple(by_id.get(guest.pk) or guest_facts(guest) for guest in companions.guests)
    return Party(size=size, guests=guests, unnamed=companions.unnamed, names_given=True)


def guest_facts(guest: Guest) -> GuestVisit:
    """A guest without a look at their visits."""
    return GuestVisit(
        guest.name, 0, guest.guest_class, guest.valid_from, guest.valid_until, guest_id=guest.pk
    )


def write_participants(reservation: Reservation, *, member_id: int, companions: Companions) -> None:
    """The party's rows: the member first, then members, guests and places to be named."""
    rows = [Participant(kind=Participant.Kind.MEMBER, member_id=member_id)]
    rows += [Participant(kind=Participant.Kind.MEMBER, member_id=one.pk) for one in companions.members]
    rows += [Participant(kind=Participant.Kind.GUEST, guest=guest) for guest in companions.guests]
    rows += [Participant(kind=Participant.Kind.TBD) for _place in range(companions.unnamed)]
    for position, row in enumerate(rows):
        row.reservation_id = reservation.pk
        row.position = position
    _PARTICIPANTS.many(rows)


def _members_of(given: Iterable[Companion]) -> dict[UUID, Named]:
    ids = [one.member for one in given if one.member is not None]
    if not ids:
        return {}
    rows = Member.objects.filter(public_id__in=ids)
    return {row.public_id: Named(row.pk, row.public_id, row.full_name) for row in rows}


def _guests_of(given: Iterable[Companion], member: MemberFacts) -> dict[UUID, Guest]:
    """The guests of the household's list that are given, by id or by name; the oldest of a name first."""
    wanted = Q()
    for one in given:
        if one.guest is not None:
            wanted |= Q(public_id=one.guest)
        elif one.guest_name:
            wanted |= Q(name__iexact=one.guest_name)
    if not wanted:
        return {}
    rows = Guest.objects.filter(wanted, host__membership_id=member.membership_id).order_by("pk")
    return {guest.public_id: guest for guest in rows}


def _guest_named(name: str, listed: Iterable[Guest], chosen: list[Guest], member: MemberFacts) -> Guest:
    """Who is on the list by this name and not of the party yet, else somebody new."""
    for guest in listed:
        if guest.name.casefold() == name.casefold() and guest not in chosen:
            return guest
    return Guest(host_id=member.member_id, name=name)


def _invalid(code: str, detail: str | Promise) -> InvalidError:
    return InvalidError(errors={"participants": [(code, detail)]})
