"""The club's rules, parsed once for each number of the rulebook and kept in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bcc.core import clock
from bcc.core.intervals import Interval
from facilities.models import (
    Closure,
    Facility,
    FacilitySpace,
    Holiday,
    OpeningPeriod,
    PolicyVersion,
    PrimeTime,
    Publishing,
    QuotaRule,
    Rate,
    ReservationPolicy,
    Rulebook,
    StrikeRule,
)
from facilities.policies.hours import Band, Period, Span, in_bands, opening_intervals
from facilities.policies.terms import Terms as ClubTerms
from reservations.policies.terms import (
    BoundTerms,
    ClosureFacts,
    FacilityFacts,
    QuotaFacts,
    RateFacts,
    SpaceFacts,
    Terms,
)

MOST_PRIMES = 50_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that bookings depend on and that is the same for everyone, at one number."""

    number: int
    mark: int
    zone: ZoneInfo
    facilities: Mapping[int, FacilityFacts]
    holidays: frozenset[date]
    quotas: tuple[QuotaFacts, ...]
    terms: Mapping[int, Terms]
    strike_rules: tuple[StrikeRule, ...]
    ids: Mapping[UUID, int]
    widest_buffer: timedelta = field(init=False)
    longest_lockout: timedelta = field(init=False)
    # Whether a quota asks of what is booked if it is in prime time.
    counts_prime: bool = field(init=False)
    _openings: dict[tuple[int, date], list[Interval]] = field(default_factory=dict)
    _primes: dict[tuple[int, datetime], bool] = field(default_factory=dict)

    def facility(self, public_id: UUID) -> FacilityFacts | None:
        pk = self.ids.get(public_id)
        return None if pk is None else self.facilities[pk]

    def open_on(self, facility: FacilityFacts, on: date) -> list[Interval]:
        """Opening intervals that begin on a date; worked out once for each."""
        key = (facility.id, on)
        if key not in self._openings:
            self._openings[key] = opening_intervals(on, facility.periods, self.holidays, self.zone)
        return self._openings[key]

    def spaces_of(self, public_id: UUID) -> set[int]:
        """The ids of a facility's spaces; none of one that is not there."""
        facility = self.facility(public_id)
        return set() if facility is None else {space.id for space in facility.spaces}

    def is_prime(self, facility_id: int, instant: datetime) -> bool:
        facility = self.facilities.get(facility_id)
        if facility is None or not facility.prime_bands:
            return False
        key = (facility_id, instant)
        known = self._primes.get(key)
        if known is None:
            if len(self._primes) >= MOST_PRIMES:
                self._primes.clear()
            known = self._primes[key] = in_bands(instant, facility.prime_bands, self.holidays, self.zone)
        return known

    def __post_init__(self) -> None:
        # Asked for each booking that counts, and the same for as long as these rules are.
        buffers = [max(terms.buffer_before, terms.buffer_after) for terms in self.terms.values()]
        lockouts = [terms.rebook_lockout for terms in self.terms.values()]
        object.__setattr__(self, "widest_buffer", max(buffers, default=timedelta(0)))
        object.__setattr__(self, "longest_lockout", max(lockouts, default=timedelta(0)))
        object.__setattr__(self, "counts_prime", any(quota.prime_time_only for quota in self.quotas))


_kept: Rules | None = None


def current_rules(mark: int | None = None) -> Rules:
    """The rules of the present page of the rulebook, from memory when it was not turned.

    ``mark`` is the page's as the caller has just read it; without it this reads it (one query).
    """
    global _kept
    if mark is None:
        mark = Rulebook.current_mark()
    kept = _kept
    if kept is None or kept.mark != mark or kept.zone != clock.zone():
        kept = _kept = _load(mark)
    return kept


def remembered_rules() -> Rules:
    """The rules as this process last knew them, without a question: where to look, never what to judge by."""
    return _kept or current_rules()


def terms_of(version: PolicyVersion) -> Terms:
    """The terms of a version as the rules read them."""

    said = {one.name: getattr(version, one.name) for one in fields(ClubTerms)}
    return Terms(version_id=version.pk, name=version.policy.name, **said)


def _load(mark: int) -> Rules:
    number = Rulebook.current_number()
    terms, bound = _load_terms()
    spaces = _load_spaces()
    periods = _load_periods()
    rates = _load_rates()
    bands = list(PrimeTime.objects.all())
    closures = list(
        Closure.objects.filter(confirmed_at__isnull=False, ends_at__gt=clock.now() - timedelta(days=1))
    )
    facilities: dict[int, FacilityFacts] = {}
    for row in Facility.objects.order_by("position", "name", "pk"):
        its_spaces = tuple(spaces[row.pk])
        space_ids = {space.id for space in its_spaces}
        facilities[row.pk] = FacilityFacts(
            id=row.pk,
            public_id=row.public_id,
            name=row.name,
            kind=row.kind,
            takes_per_person=row.takes == "person",
            spaces=its_spaces,
            periods=tuple(periods[row.pk]),
            closures=tuple(
                ClosureFacts(Interval(closure.starts_at, closure.ends_at), closure.reason)
                for closure in closures
                if closure.facility_id == row.pk or closure.space_id in space_ids
            ),
            prime_bands=tuple(
                Band(band.weekday, band.starts, band.ends, band.valid_from, band.valid_until)
                for band in bands
                if band.facility_id == row.pk or (band.facility_id is None and band.kind == row.kind)
            ),
            bound_terms=tuple(
                one
                for one in bound
                if one.facility_id == row.pk or (one.facility_id is None and one.kind == row.kind)
            ),
            rates=tuple(rates[row.pk]),
            is_published=row.state == Publishing.PUBLISHED,
            shown_from=row.publish_from,
            shown_until=row.publish_until,
        )
    return Rules(
        number=number,
        mark=mark,
        zone=clock.zone(),
        facilities=facilities,
        holidays=frozenset(Holiday.objects.filter(is_confirmed=True).values_list("on", flat=True)),
        quotas=tuple(_quota(rule) for rule in QuotaRule.objects.filter(is_active=True).order_by("pk")),
        terms=terms,
        strike_rules=tuple(StrikeRule.objects.filter(is_active=True).order_by("pk")),
        ids={one.public_id: pk for pk, one in facilities.items()},
    )


def _load_terms() -> tuple[dict[int, Terms], list[BoundTerms]]:
    """Every published version by id, and each policy's newest with what it is bound to."""
    terms: dict[int, Terms] = {}
    newest: dict[int, tuple[int, ReservationPolicy]] = {}
    published = PolicyVersion.objects.filter(published_at__isnull=False)
    for version in published.select_related("policy").order_by("policy_id", "number"):
        terms[version.pk] = terms_of(version)
        newest[version.policy_id] = (version.pk, version.policy)
    bound = [
        BoundTerms(
            terms=terms[pk],
            facility_id=policy.facility_id,
            kind=policy.kind,
            category_id=policy.category_id,
            valid_from=policy.valid_from,
            valid_until=policy.valid_until,
        )
        for pk, policy in newest.values()
    ]
    return terms, bound


def _load_spaces() -> dict[int, list[SpaceFacts]]:
    spaces: dict[int, list[SpaceFacts]] = defaultdict(list)
    for link in FacilitySpace.objects.select_related("space").order_by("facility_id", "space_id"):
        space = link.space
        spaces[link.facility_id].append(
            SpaceFacts(space.pk, space.grid, space.lanes, space.check_in_at, space.check_out_at)
        )
    return spaces


def _load_periods() -> dict[int, list[Period]]:
    periods: dict[int, list[Period]] = defaultdict(list)
    for period in OpeningPeriod.objects.prefetch_related("spans").order_by("facility_id", "pk"):
        periods[period.facility_id].append(
            Period(
                starts_on=period.starts_on,
                ends_on=period.ends_on,
                priority=period.priority,
                override=period.override,
                spans=tuple(
                    Span(span.weekday, span.opens, span.closes, span.next_day) for span in period.spans.all()
                ),
            )
        )
    return periods


def _load_rates() -> dict[int, list[RateFacts]]:
    rates: dict[int, list[RateFacts]] = defaultdict(list)
    for rate in Rate.objects.order_by("facility_id", "pk"):
        rates[rate.facility_id].append(
            RateFacts(
                unit=rate.unit,
                amount=rate.amount,
                guest_class=rate.guest_class,
                category_id=rate.category_id,
                prime_time_only=rate.prime_time_only,
                valid_from=rate.valid_from,
                valid_until=rate.valid_until,
            )
        )
    return rates


def _quota(rule: QuotaRule) -> QuotaFacts:
    return QuotaFacts(
        id=rule.pk,
        name=rule.name,
        measure=rule.measure,
        period=rule.period,
        per_household=rule.per == QuotaRule.Per.HOUSEHOLD,
        limit=rule.limit,
        facility_id=rule.facility_id,
        kind=rule.kind,
        prime_time_only=rule.prime_time_only,
        category_id=rule.category_id,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
    )
