"""Whether policies, hours and spaces fit each other: slots and buffers on the cells of every space.

Whoever changes one of the three asks here, inside the transaction of the change: publishing a
version, and the pages of hours, spaces and facilities.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.errors import InvalidError
from facilities.models import Facility, ReservationPolicy
from facilities.policies.cells import Misfit, find_misfits, is_mixed, zone_offsets
from facilities.policies.terms import Terms
from facilities.selectors.policies import cells_of, facilities_of, opening_times_of, versions_in_force


class MisfitError(InvalidError):
    """Slots or buffers would not fall on the cells of a space. ``errors`` says where, in full sentences."""

    code = "off_the_grid"
    default_detail = gettext_lazy("Slots and cells do not fit each other. Correct what is named.")


def require_terms_fit(policy: ReservationPolicy, terms: Terms, *, on: date) -> None:
    """Raise MisfitError if ``terms`` do not fit a facility that ``policy`` can hold for.

    ``on`` is today: the offsets of the club's zone are looked up for this year and the next.
    """
    facilities = facilities_of(policy)
    cells = cells_of(facility.pk for facility in facilities)
    opens = opening_times_of(facility.pk for facility in facilities)
    offsets = zone_offsets(clock.zone(), year=on.year)
    _refuse(
        misfit
        for facility in facilities
        for misfit in find_misfits(terms, cells=cells[facility.pk], opens=opens[facility.pk], offsets=offsets)
    )


def require_facility_fits(facility: Facility, *, on: date) -> None:
    """Raise MisfitError if the facility, its hours or its spaces as saved do not fit a policy in force."""
    cells = cells_of([facility.pk])[facility.pk]
    if is_mixed(cells):
        text = _("A facility is booked by the night or by the hour, not both. Take the other spaces out.")
        raise MisfitError(errors={"spaces": [("mixed_grids", text)]})
    opens = opening_times_of([facility.pk])[facility.pk]
    offsets = zone_offsets(clock.zone(), year=on.year)
    _refuse(
        misfit
        for version in versions_in_force(facility)
        for misfit in find_misfits(version.terms, cells=cells, opens=opens, offsets=offsets)
    )


def _refuse(misfits: Iterable[Misfit]) -> None:
    errors: dict[str, list[tuple[str, str]]] = {}
    for misfit in misfits:
        pair = (misfit.code, misfit.detail)
        if pair not in errors.setdefault(misfit.field, []):
            errors[misfit.field].append(pair)
    if errors:
        raise MisfitError(errors=errors)
