"""Why a booking would pass or not: what staff ask with a member at the telephone. Nothing is changed,
and nothing is recorded as unmet demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from bcc.core.errors import NotFoundError, RuleError, RuleFailure
from bcc.core.intervals import Interval
from reservations.policies import cells
from reservations.policies import rules as club_rules
from reservations.policies.deadlines import deadline, entry_state
from reservations.policies.pricing import estimate
from reservations.policies.rules.review import Verdict, review
from reservations.policies.states import State
from reservations.policies.terms import FacilityFacts, MemberFacts, Terms
from reservations.selectors.alternatives import Alternative, find_alternatives
from reservations.selectors.rulebook import Rules
from reservations.selectors.situation import Party, get_member_and_rules, load_situation
from reservations.services.booking import Wish, get_bookable, get_terms, say_terms
from reservations.services.errors import Refusal, refusal
from reservations.services.party import Companion, find_companions, party_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """What ``quote`` would answer at ``at``, with every rule's verdict.

    ``refused`` is None where it would be booked; then ``state`` and the deadlines are those of the
    booking. Without terms (nobody of the member's category books there) there are no verdicts.
    """

    at: datetime
    member: MemberFacts
    facility: FacilityFacts
    interval: Interval
    party: Party
    terms: Terms | None
    verdicts: tuple[Verdict, ...]
    refused: Refusal | None
    state: State | None = None
    expires_at: datetime | None = None
    free_until: datetime | None = None
    check_in_from: datetime | None = None
    no_show_at: datetime | None = None
    estimate: Decimal | None = None
    sentences: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


def explain_booking(
    *,
    facility_id: UUID,
    member_id: int,
    starts_at: datetime,
    ends_at: datetime | None,
    party: int,
    guests: Sequence[str] | None,
    now: datetime,
) -> Explanation:
    """Judge the wish by every rule as if it were ``now``, with the bookings and the rules that there are.

    ``ends_at`` None is the shortest booking. ``guests`` are names (those on the household's list count
    their visits, the rest of the party are taken as members), None if nobody is named yet, as in the
    app's first quote. Raises NotFoundError for a facility that members are not shown, and InvalidError
    for a backward interval.
    """
    member, rules = get_member_and_rules(member_id=member_id, now=now)
    try:
        facility = get_bookable(rules, facility_id, now)
    except NotFoundError as error:
        raise NotFoundError(
            _("Members are not shown this facility then, so nobody can book it. Publish it first.")
        ) from error
    interval = _interval(facility, member, rules, starts_at, ends_at)
    try:
        terms = get_terms(facility, interval, member, rules)
    except RuleError as refused:
        return Explanation(now, member, facility, interval, Party(size=party), None, (), refused)

    named = (
        Party(size=party) if guests is None else _named(party, guests, interval, terms, member, rules, now)
    )
    situation = load_situation(rules=rules, member=member, facilities=[facility], window=interval, now=now)
    ask = situation.ask(facility, terms, interval, named)
    failures: list[RuleFailure] = club_rules.judge(ask)
    verdicts = review(ask, house=club_rules.HOUSE, physical=club_rules.PHYSICAL)
    state = entry_state(terms, hold=True)
    alternatives: list[Alternative] = []
    if failures:
        alternatives = find_alternatives(
            facility_id=facility_id,
            starts_at=interval.starts_at,
            ends_at=interval.ends_at,
            party=named,
            member_id=member_id,
            now=now,
        )
    return Explanation(
        at=now,
        member=member,
        facility=facility,
        interval=interval,
        party=named,
        terms=terms,
        verdicts=tuple(verdicts),
        refused=refusal(failures) if failures else None,
        state=state,
        expires_at=deadline(state, terms, starts_at=interval.starts_at, now=now),
        free_until=interval.starts_at - terms.cancellation_cutoff,
        check_in_from=interval.starts_at - terms.check_in_from,
        no_show_at=_no_show_at(terms, interval),
        estimate=estimate(ask),
        sentences=say_terms(terms, facility),
        alternatives=tuple(alternatives),
    )


def shortest_end(
    *, facility: FacilityFacts, member: MemberFacts, rules: Rules, starts_at: datetime
) -> datetime | None:
    """When the shortest booking from ``starts_at`` on ends; None where the terms give none."""
    on = starts_at.astimezone(rules.zone).date()
    terms = facility.terms_on(on, member.category_id)
    if terms is None:
        return None
    if facility.is_nightly:
        stay = cells.night_of(facility.spaces[0], on, rules.zone, terms.min_slots)
        return None if stay is None or stay.ends_at <= starts_at else stay.ends_at
    return starts_at + terms.min_slots * terms.slot


def _no_show_at(terms: Terms, interval: Interval) -> datetime | None:
    if terms.no_show_after_minutes is None:
        return None
    return interval.starts_at + timedelta(minutes=terms.no_show_after_minutes)


def _interval(
    facility: FacilityFacts, member: MemberFacts, rules: Rules, starts_at: datetime, ends_at: datetime | None
) -> Interval:
    if ends_at is None:
        ends_at = shortest_end(facility=facility, member=member, rules=rules, starts_at=starts_at)
    return Wish(facility.public_id, starts_at, ends_at or starts_at).interval


def _named(
    size: int,
    names: Sequence[str],
    interval: Interval,
    terms: Terms,
    member: MemberFacts,
    rules: Rules,
    now: datetime,
) -> Party:
    """The guests by name, those of the household's list with their visits; nobody else is to be named."""
    given = tuple(Companion(guest_name=name) for name in names)
    companions = replace(find_companions(given, party=size, member=member), unnamed=0)
    on = interval.starts_at.astimezone(rules.zone).date()
    return party_of(companions, size=size, on=on, terms=terms, now=now)
