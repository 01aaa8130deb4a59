"""The bookings that a change of the club would hit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery

from facilities.models import Closure
from reservations.models import Reservation, SlotClaim


def coming_bookings(facility_ids: Iterable[int], *, now: datetime) -> QuerySet[Reservation]:
    """What occupies the facilities and has not ended, with the people that staff must reach."""
    return _with_people(Reservation.objects.occupying().at_facilities(facility_ids).upcoming(now))


def get_hits(closure: Closure, *, now: datetime) -> QuerySet[Reservation]:
    """The coming reservations that a closure hits: of the facility, or of every facility on the space."""
    hits = Reservation.objects.occupying().filter(
        starts_at__lt=closure.ends_at, ends_at__gt=max(closure.starts_at, now)
    )
    if closure.facility_id is not None:
        hits = hits.filter(facility_id=closure.facility_id)
    else:
        hits = hits.filter(pk__in=SlotClaim.objects.filter(space=closure.space).values("reservation_id"))
    return _with_people(hits)


def counting_hits(closures: QuerySet[Closure], *, now: datetime) -> QuerySet[Closure]:
    """Each closure with ``hits``: how many reservations ``get_hits`` finds, in the same query."""
    on_space = SlotClaim.objects.filter(reservation=OuterRef("pk"), space=OuterRef(OuterRef("space")))
    hits = Reservation.objects.occupying().filter(
        Q(facility=OuterRef("facility")) | Exists(on_space),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    # A plain function, not an aggregate: Django would group it by the reservation.
    count = hits.upcoming(now).order_by().annotate(hits=Func(F("pk"), function="COUNT")).values("hits")
    return closures.annotate(hits=Subquery(count))


def _with_people(bookings: QuerySet[Reservation]) -> QuerySet[Reservation]:
    return bookings.select_related(
        "facility", "member__membership", "member__user", "policy_version"
    ).order_by("starts_at", "pk")
