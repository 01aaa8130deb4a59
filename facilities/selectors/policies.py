"""Which policy holds for whom, and what stands on which cells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import cast

from django.db import models
from django.db.models import Max, Q

from accounts.models import Membership
from accounts.policies.identity import Identity
from facilities.models import (
    Facility,
    FacilitySpace,
    OpeningSpan,
    PolicyVersion,
    Publishing,
    QuotaRule,
    Rate,
    ReservationPolicy,
)
from facilities.policies.bindings import most_specific
from facilities.policies.cells import Cells
from facilities.policies.plain_language import Stay
from facilities.policies.terms import Measure, Per, Quota, QuotaPeriod


def category_of(identity: Identity) -> int | None:
    """The key of the membership category of who asks; None for staff who are no member."""
    if identity.membership_id is None:
        return None
    return Membership.objects.filter(pk=identity.membership_id).values_list("category_id", flat=True).first()


def version_in_force(facility: Facility, *, category_id: int | None, on: date) -> PolicyVersion | None:
    """The published terms under which a member of the category books on the day ``on``, in two queries.

    A policy without a published version holds for nobody.
    """
    policies = ReservationPolicy.objects.valid_on(on).filter(
        Q(facility=facility) | Q(facility__isnull=True, kind=facility.kind)
    )
    numbered = policies.annotate(
        latest=Max("versions__number", filter=Q(versions__published_at__isnull=False))
    ).filter(latest__isnull=False)
    chosen = most_specific(
        numbered, facility_id=facility.pk, kind=facility.kind, category_id=category_id, on=on
    )
    if chosen is None:
        return None
    return PolicyVersion.objects.select_related("policy").get(policy=chosen.pk, number=chosen.latest)


def quotas_for(facility: Facility, *, category_id: int | None, on: date) -> list[QuotaRule]:
    """The quota rules that a booking of the facility counts against, in one query."""
    rules = QuotaRule.objects.valid_on(on).filter(
        Q(facility=facility) | Q(facility__isnull=True, kind__in=("", facility.kind)),
        Q(category__isnull=True) | Q(category=category_id),
        is_active=True,
    )
    return list(rules.select_related("facility").order_by("pk"))


def quota_of(rule: QuotaRule) -> Quota:
    """``rule`` as plain values, with the name of what it is for."""
    return Quota(
        measure=cast(Measure, rule.measure),
        period=cast(QuotaPeriod, rule.period),
        per=cast(Per, rule.per),
        limit=rule.limit,
        prime_time_only=rule.prime_time_only,
        scope=rule.facility.name if rule.facility is not None else str(rule.get_kind_display()),
    )


def rates_for(
    facility: Facility, *, category_id: int | None, everyone: bool, on: date
) -> models.QuerySet[Rate]:
    """The rates valid on ``on`` or later: for everyone, else those that concern the category."""
    rates = Rate.objects.valid_from_on(on).filter(facility=facility)
    if not everyone:
        rates = rates.filter(Q(category__isnull=True) | Q(category=category_id))
    return rates.select_related("category")


def stay_of(facility: Facility) -> Stay | None:
    """The wall times of a night there; None for what is not booked by the night. Reads its spaces."""
    for space in facility.spaces.all():
        if space.is_nightly:
            return Stay(space.check_in_at, space.check_out_at)
    return None


def facilities_of(policy: ReservationPolicy) -> list[Facility]:
    """The facilities that ``policy`` can hold for, the retired left out."""
    bound = Q(kind=policy.kind) if policy.facility_id is None else Q(pk=policy.facility_id)
    return list(Facility.objects.filter(bound).exclude(state=Publishing.RETIRED).order_by("pk"))


def versions_in_force(facility: Facility) -> list[PolicyVersion]:
    """The latest published version of each policy that can hold for the facility, in two queries."""
    policies = ReservationPolicy.objects.filter(
        Q(facility=facility) | Q(facility__isnull=True, kind=facility.kind)
    )
    latest = policies.annotate(
        latest=Max("versions__number", filter=Q(versions__published_at__isnull=False))
    ).values_list("pk", "latest")
    wanted = Q(pk__in=[])
    for policy_id, number in latest:
        wanted |= Q(policy=policy_id, number=number)
    return list(PolicyVersion.objects.filter(wanted).select_related("policy").order_by("pk"))


def cells_of(facility_ids: Iterable[int]) -> dict[int, list[Cells]]:
    """The cells of the spaces of each facility, in one query."""
    cells: dict[int, list[Cells]] = {facility_id: [] for facility_id in facility_ids}
    rows = FacilitySpace.objects.filter(facility__in=cells).order_by("space__name", "space_id")
    for facility_id, name, grid in rows.values_list("facility_id", "space__name", "space__grid"):
        cells[facility_id].append(Cells(name, grid))
    return cells


def opening_times_of(facility_ids: Iterable[int]) -> dict[int, frozenset[time]]:
    """The wall times at which each facility opens on any day, in one query."""
    times: dict[int, set[time]] = {facility_id: set() for facility_id in facility_ids}
    rows = OpeningSpan.objects.filter(period__facility__in=times).order_by("pk")
    for facility_id, opens in rows.values_list("period__facility_id", "opens"):
        times[facility_id].add(opens)
    return {facility_id: frozenset(opens) for facility_id, opens in times.items()}
