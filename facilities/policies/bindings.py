"""Which policy holds for a facility and a member's category on a day.

Pure. The most specific wins: facility and category, facility, kind and category, kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar


class Bound(Protocol):
    """What a policy is bound to; ``kind`` is empty if it is bound to a facility."""

    @property
    def facility_id(self) -> int | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def category_id(self) -> int | None: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_until(self) -> date | None: ...


B = TypeVar("B", bound=Bound)


def most_specific(
    policies: Iterable[B], *, facility_id: int, kind: str, category_id: int | None, on: date
) -> B | None:
    """The policy in force, None where there is none: then members cannot book."""
    fitting = [
        one
        for one in policies
        if (one.facility_id == facility_id or (one.facility_id is None and one.kind == kind))
        and one.category_id in (None, category_id)
        and (one.valid_from is None or one.valid_from <= on)
        and (one.valid_until is None or on <= one.valid_until)
    ]
    return max(fitting, key=_specificity, default=None)


def _specificity(one: Bound) -> tuple[bool, bool]:
    return one.facility_id is not None, one.category_id is not None
