"""What a wish of one member is judged against: the rules, the member, what they have, what is taken.

Three queries with the rulebook in memory: the member with the rulebook's number, what is taken of
the spaces, what the household has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from bcc.core.errors import NotFoundError
from bcc.core.intervals import Interval
from reservations.models import Guest, Participant
from reservations.policies.ask import Ask
from reservations.policies.occupancy import SpaceOccupancy, Taken
from reservations.policies.quotas import period_of
from reservations.policies.states import COUNTED_WHEN_OVER, OCCUPYING, State
from reservations.policies.terms import (
    Counted,
    FacilityFacts,
    GuestVisit,
    MemberFacts,
    SpaceFacts,
    Terms,
)
from reservations.selectors.rulebook import Rules, current_rules
from reservations.selectors.statements import COUNTED, MEMBER, MEMBER_AND_LOCKS, TAKEN

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Party:
    """Who comes: ``guests`` by name, ``unnamed`` places still to be named, the rest are members."""

    size: int = 1
    guests: tuple[GuestVisit, ...] = ()
    unnamed: int = 0
    names_given: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Loaded once, asked for every slot."""

    rules: Rules
    now: datetime
    member: MemberFacts
    counted: tuple[Counted, ...]
    occupancy: dict[int, SpaceOccupancy]

    def ask(
        self,
        facility: FacilityFacts,
        terms: Terms,
        interval: Interval,
        party: Party,
        *,
        reschedules: int | None = None,
    ) -> Ask:
        starts_on = interval.starts_at.astimezone(self.rules.zone).date()
        nights = (interval.ends_at.astimezone(self.rules.zone).date() - starts_on).days
        return Ask(
            now=self.now,
            zone=self.rules.zone,
            week_start=settings.CLUB_WEEK_START,
            facility=facility,
            terms=terms,
            interval=interval,
            starts_on=starts_on,
            party=party.size,
            occupancy=self.occupancy,
            open_on=lambda on: self.rules.open_on(facility, on),
            member=self.member,
            quotas=self.rules.quotas,
            counted=self.counted,
            is_prime=self.rules.is_prime(facility.id, interval.starts_at),
            guests=party.guests,
            unnamed=party.unnamed,
            names_given=party.names_given,
            reschedules=reschedules,
            nights=nights if facility.is_nightly else 0,
        )


def get_member_and_rules(*, member_id: int, now: datetime) -> tuple[MemberFacts, Rules]:
    """The member as they stand and the rules in force: one query while the number has not moved.

    Raises NotFoundError for a member who is gone.
    """
    return _member_and_rules(MEMBER.row(member=member_id, now=now), member_id)


def get_member_rules_and_locks(
    *, member_id: int, facility_id: int, now: datetime
) -> tuple[MemberFacts, Rules, int]:
    """The same, and the sum of the lock versions of the facility's spaces, in the same query.

    Whatever changes what is taken of a space moves its version first, so equal sums over the same
    spaces mean that the same is taken.
    """
    row = MEMBER_AND_LOCKS.row(member=member_id, now=now, facility=facility_id)
    member, rules = _member_and_rules(row, member_id)
    return member, rules, (row[15] if row is not None else 0) or 0


def _member_and_rules(row: tuple[Any, ...] | None, member_id: int) -> tuple[MemberFacts, Rules]:
    if row is None:
        raise NotFoundError
    member = MemberFacts(
        member_id=member_id,
        membership_id=row[0],
        category_id=row[1],
        standing=row[2],
        valid_to=row[3],
        can_book=row[4],
        birth_date=row[5],
        hold_until=row[6],
        hold_reason=row[7] or "",
        user_id=row[8],
        user_public_id=row[9],
        name=f"{row[10]} {row[11]}".strip(),
        public_id=row[12],
        member_no=row[13],
    )
    return member, current_rules(row[14] or 0)


def load_situation(
    *,
    rules: Rules,
    member: MemberFacts,
    facilities: Sequence[FacilityFacts],
    window: Interval,
    now: datetime,
    ignoring: int | None = None,
    due: list[int] | None = None,
) -> Situation:
    """What is taken of the facilities' spaces in the window, and what the household has. Two queries.

    ``ignoring`` is a reservation that is being moved: it does not stand in its own way. What is due to
    expire does not count either; its keys are appended to ``due``.
    """
    return Situation(
        rules=rules,
        now=now,
        member=member,
        counted=load_counted(rules=rules, member=member, window=window, now=now, ignoring=ignoring, due=due),
        occupancy=load_occupancy(
            rules=rules, facilities=facilities, window=window, now=now, ignoring=ignoring, due=due
        ),
    )


def load_occupancy(
    *,
    rules: Rules,
    facilities: Iterable[FacilityFacts],
    window: Interval,
    now: datetime,
    ignoring: int | None = None,
    due: list[int] | None = None,
) -> dict[int, SpaceOccupancy]:
    """What is taken of every space of the facilities around the window; a hold that is due is not."""
    spaces = {space.id: space for facility in facilities for space in facility.spaces}
    taken = load_taken(
        rules=rules, spaces=list(spaces.values()), window=window, now=now, ignoring=ignoring, due=due
    )
    return {pk: SpaceOccupancy(space, taken[pk], rules.zone) for pk, space in spaces.items()}


def load_occupancy_until(
    *, rules: Rules, facility: FacilityFacts, window: Interval, now: datetime
) -> tuple[dict[int, SpaceOccupancy], datetime]:
    """The same of one facility, and until when it stands by itself: its first deadline. One query."""
    deadlines: list[datetime] = []
    taken = load_taken(rules=rules, spaces=facility.spaces, window=window, now=now, deadlines=deadlines)
    found = {space.id: SpaceOccupancy(space, taken[space.id], rules.zone) for space in facility.spaces}
    return found, min(deadlines, default=datetime.max.replace(tzinfo=UTC))


def load_taken(
    *,
    rules: Rules,
    spaces: Sequence[SpaceFacts],
    window: Interval,
    now: datetime,
    ignoring: int | None = None,
    due: list[int] | None = None,
    deadlines: list[datetime] | None = None,
) -> dict[int, list[Taken]]:
    """By space, what each reservation takes of it around the window. One query.

    The deadlines of what is taken are appended to ``deadlines``, the keys of what is due to ``due``.
    """
    margin = rules.widest_buffer + (2 * DAY if any(space.grid == 0 for space in spaces) else DAY / 24)
    around = window.widened(before=margin, after=margin)
    taken: dict[int, list[Taken]] = defaultdict(list)
    rows = TAKEN.rows(spaces=[space.id for space in spaces], first=around.starts_at, after=around.ends_at)
    for pk, space_id, starts_at, ends_at, lanes, before, after, expires_at in rows:
        if pk == ignoring:
            continue
        if expires_at is not None and expires_at <= now:
            if due is not None:
                due.append(pk)
            continue
        if deadlines is not None and expires_at is not None:
            deadlines.append(expires_at)
        taken[space_id].append(
            Taken(
                reservation_id=pk,
                space_id=space_id,
                interval=Interval(starts_at, ends_at),
                lanes=lanes,
                buffer_before=timedelta(minutes=before),
                buffer_after=timedelta(minutes=after),
            )
        )
    return taken


def load_counted(
    *,
    rules: Rules,
    member: MemberFacts,
    window: Interval,
    now: datetime,
    ignoring: int | None = None,
    due: list[int] | None = None,
) -> tuple[Counted, ...]:
    """The household's reservations that a quota or a lock-out may speak about. One query."""
    first, after = _counted_dates(rules, window)
    # Nothing was given back after now, so without a lock-out this asks for nothing.
    given_back = now - rules.longest_lockout
    # What starts on a day ends after it began, by any clock that the club has had.
    since = min(given_back, datetime.combine(first - DAY, time(), tzinfo=rules.zone))
    rows = COUNTED.rows(
        membership=member.membership_id,
        member=member.member_id,
        first=first,
        after=after,
        now=now,
        given_back=given_back,
        since=since,
    )
    counted = []
    for (
        pk,
        member_id,
        facility_id,
        starts_at,
        ends_at,
        starts_on,
        nights,
        guests,
        state,
        charged,
        ended_at,
        expires_at,
    ) in rows:
        if pk == ignoring:
            continue
        if expires_at is not None and expires_at <= now:
            if due is not None:
                due.append(pk)
            continue
        facility = rules.facilities.get(facility_id)
        counted.append(
            Counted(
                reservation_id=pk,
                member_id=member_id,
                facility_id=facility_id,
                kind=facility.kind if facility is not None else "",
                interval=Interval(starts_at, ends_at),
                starts_on=starts_on,
                nights=nights,
                guests=guests,
                occupies=state in OCCUPYING,
                is_prime=rules.counts_prime and rules.is_prime(facility_id, starts_at),
                counts=state in OCCUPYING or state in COUNTED_WHEN_OVER or charged,
                cancelled_at=ended_at if state == State.CANCELLED_MEMBER else None,
            )
        )
    return tuple(counted)


def load_guest_visits(
    *, guest_ids: Sequence[int], on: date, terms: Terms, now: datetime, ignoring: int | None = None
) -> tuple[GuestVisit, ...]:
    """The guests with how often each came, or is to come, within the policy's days of ``on``."""
    from_day, to_day = on - timedelta(days=terms.same_guest_days), on + timedelta(days=terms.same_guest_days)
    rows = Participant.objects.filter(
        # A hold that is due is over, whether or not somebody has ended it yet.
        Q(reservation__expires_at__isnull=True) | Q(reservation__expires_at__gt=now),
        guest_id__in=guest_ids,
        reservation__state__in=[*OCCUPYING, *COUNTED_WHEN_OVER],
        reservation__starts_on__gt=from_day,
        reservation__starts_on__lt=to_day,
    )
    if ignoring is not None:
        rows = rows.exclude(reservation_id=ignoring)
    visits = dict(rows.order_by().values_list("guest_id").annotate(visits=Count("pk")))
    guests = Guest.objects.in_bulk(list(guest_ids))
    return tuple(
        GuestVisit(
            guest.name, visits.get(pk, 0), guest.guest_class, guest.valid_from, guest.valid_until, guest_id=pk
        )
        for pk, guest in ((pk, guests[pk]) for pk in guest_ids)
    )


def _counted_dates(rules: Rules, window: Interval) -> tuple[date, date]:
    """The days that the quotas' periods reach to from the window."""
    first = window.starts_at.astimezone(rules.zone).date()
    last = window.ends_at.astimezone(rules.zone).date()
    firsts, afters = [first], [last + DAY]
    for period in {quota.period for quota in rules.quotas} & {"day", "week", "month", "year"}:
        firsts.append(period_of(first, period, settings.CLUB_WEEK_START)[0])
        afters.append(period_of(last, period, settings.CLUB_WEEK_START)[1])
    return min(firsts), max(afters)
