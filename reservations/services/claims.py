"""Claims: the cells that a reservation takes. It holds them if and only if its state occupies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError

from bcc.core.intervals import Interval
from bcc.core.prepared import Prepared, PreparedInsert
from bcc.core.running import inserts_together, table_of
from reservations.models import Reservation, SlotClaim
from reservations.policies.cells import cells_of, pick_lanes
from reservations.policies.terms import FacilityFacts
from reservations.selectors.rulebook import Rules
from reservations.services.errors import SlotTakenError

_CLAIMS = PreparedInsert(SlotClaim)
_LANES = Prepared(
    lambda *, spaces, first, last: SlotClaim.objects.filter(
        space_id__in=spaces, cell_start__gte=first, cell_start__lte=last
    ).values_list("space_id", "cell_start", "lane"),
    spaces=(int,),
    first=datetime,
    last=datetime,
)


@contextmanager
def claiming() -> Iterator[None]:
    """Send what is inserted in this block together with the claims in it, where the engine takes that.

    Raises SlotTakenError where the database's unique constraint refuses a claim at the end.
    """
    try:
        with inserts_together():
            yield
    except IntegrityError as error:
        if table_of(error) == SlotClaim._meta.db_table:
            raise SlotTakenError from error
        raise


def take_claims(
    reservation: Reservation, *, facility: FacilityFacts, interval: Interval, lanes: int, rules: Rules
) -> None:
    """Claim the lowest free lanes of every cell of every space; under the spaces' lock.

    Raises SlotTakenError where they do not fit. Behind it the database's unique constraint refuses
    whatever came by another path.
    """
    wanted = {space: cells_of(space, interval, rules.zone) for space in facility.spaces}
    occupied = _occupied({space.id: cells for space, cells in wanted.items() if space.lanes > 1})
    claims: list[SlotClaim] = []
    for space, cells in wanted.items():
        for cell in cells:
            picked = pick_lanes(occupied[space.id, cell], lanes, space.lanes)
            if picked is None:
                raise SlotTakenError
            claims.extend(
                SlotClaim(space_id=space.id, cell_start=cell, lane=lane, reservation_id=reservation.pk)
                for lane in picked
            )
    if not claims:
        raise SlotTakenError
    try:
        _CLAIMS.many(claims)
    except IntegrityError as error:
        raise SlotTakenError from error


def _occupied(wanted: dict[int, list[datetime]]) -> dict[tuple[int, datetime], set[int]]:
    """Lanes taken in the wanted cells. A space of one lane needs no look: its lane is 0."""
    occupied: dict[tuple[int, datetime], set[int]] = defaultdict(set)
    cells = [cell for starts in wanted.values() for cell in starts]
    if cells:
        rows = _LANES.rows(spaces=list(wanted), first=min(cells), last=max(cells))
        for space_id, cell_start, lane in rows:
            occupied[space_id, cell_start].add(lane)
    return occupied
