"""The quick forms of the two reads that the app makes most: availability, and my reservations.

What a parameter may be is the views' to say: whatever is not plainly right goes there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from rest_framework.request import Request

from accounts.models import Member
from accounts.models.membership import sees_household
from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.errors import NotFoundError, RuleFailure
from bcc.core.intervals import Interval
from bcc.core.prepared import Prepared
from bcc.core.rest.fields import FIRST_YEAR, LAST_YEAR
from bcc.core.rest.hot import hot
from bcc.core.rest.paging import MAX_SIZE, PAGE_SIZE, KeysetPagination, Order, next_link
from bcc.core.rest.renderers import dump_bytes, dump_utc_bytes
from reservations.models import Reservation
from reservations.policies.terms import FacilityFacts
from reservations.selectors import lines
from reservations.selectors.availability import MOST_DAYS, Slot
from reservations.selectors.open_days import OpenDay, get_open_days
from reservations.serializers.asked import LARGEST_PARTY
from reservations.views.availability import WEEK, AvailabilityView
from reservations.views.reservations import ReservationListView, order_of

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WEEK_PARAMETERS: Final = frozenset({"from", "to", "party"})
_PAGE_PARAMETERS: Final = frozenset({"when", PAGE_SIZE})
_NUMBER: Final = re.compile(r"[1-9]\d{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Week:
    facility: UUID
    first: date
    last: date
    party: int | None
    now: datetime


class FastAvailability:
    def asked(self, http: HttpRequest, **kwargs: Any) -> Week | None:
        given = _plain_parameters(http, _WEEK_PARAMETERS)
        if given is None:
            return None
        now = clock.now()
        first = _date(given["from"]) if "from" in given else clock.local_date(now)
        if first is None:
            return None
        last = _date(given["to"]) if "to" in given else first + WEEK
        if last is None or not first <= last < first + timedelta(days=MOST_DAYS):
            return None
        party = given.get("party")
        if party is not None and not (_NUMBER.fullmatch(party) and int(party) <= LARGEST_PARTY):
            return None
        return Week(kwargs["public_id"], first, last, None if party is None else int(party), now)

    def answer(self, request: Request, asked: Week) -> bytes:
        identity = cast(Identity, request.user)
        found = get_open_days(
            facility_id=asked.facility,
            member_id=cast(int, identity.member_id),
            first=asked.first,
            last=asked.last,
            party=asked.party,
            now=asked.now,
        )
        days = b",".join(_day_bytes(day) for day in found.days)
        head = dump_bytes({"facility": _facility(found.facility), "rulebook": found.rulebook})
        return b'%b,"days":[%b]}' % (head[:-1], days)


def _facility(facility: FacilityFacts) -> dict[str, Any]:
    return {"id": facility.public_id, "name": facility.name, "kind": facility.kind}


def _day_bytes(day: OpenDay) -> bytes:
    if day.slots is None and day.shared is not None:
        if day.shared.body is None:
            day.shared.body = _slots_bytes(day.on, [one.slot for one in day.shared.slots])
        return day.shared.body
    return _slots_bytes(day.on, day.slots or ())


def _slots_bytes(on: date, slots: Iterable[Slot]) -> bytes:
    return b'{"date":"%b","slots":[%b]}' % (on.isoformat().encode(), b",".join(map(_slot_bytes, slots)))


def _slot_bytes(slot: Slot) -> bytes:
    reasons = b",".join(map(_reason_bytes, slot.reasons))
    span = _span_bytes(slot.interval)
    return b'%b,"state":"%b","left":%d,"reasons":[%b]}' % (span, slot.state.encode(), slot.left, reasons)


# The same slots are shown to everybody, and a reason stands at each slot of a day.
@lru_cache(maxsize=8_192)
def _span_bytes(interval: Interval) -> bytes:
    return dump_bytes({"starts_at": interval.starts_at, "ends_at": interval.ends_at})[:-1]


@lru_cache(maxsize=4_096)
def _reason_bytes(reason: RuleFailure) -> bytes:
    return dump_bytes(
        {
            "code": reason.code,
            "detail": reason.detail,
            "limit": reason.limit,
            "current": reason.current,
            "retry_at": reason.retry_at,
        }
    )


@dataclass(frozen=True, slots=True)
class FirstPage:
    when: str
    size: int
    http: HttpRequest
    now: datetime


class FastReservations:
    """The first page, of all or by ``when``; pages that follow and other filters are the view's."""

    def asked(self, http: HttpRequest, **kwargs: Any) -> FirstPage | None:
        given = _plain_parameters(http, _PAGE_PARAMETERS)
        if given is None:
            return None
        when, size = given.get("when", ""), given.get(PAGE_SIZE, str(KeysetPagination.page_size))
        if ("when" in given and when not in ("upcoming", "past")) or not _NUMBER.fullmatch(size):
            return None
        return FirstPage(when, int(size), http, clock.now()) if int(size) <= MAX_SIZE else None

    def answer(self, request: Request, asked: FirstPage) -> bytes:
        member_id = cast(int, cast(Identity, request.user).member_id)
        rows = _page_of(member_id, asked)
        more, rows = len(rows) > asked.size, rows[: asked.size]
        following = None
        if more:
            following = next_link(
                asked.http,
                model=Reservation._meta.label,
                order=order_of(asked.when),
                values=(rows[-1][10], rows[-1][_PK]),
            )
        results = [lines.line_of(row) for row in rows]
        return dump_utc_bytes({"results": results, "next": following, "previous": None})


# A member's relation and membership: whose rows they see.
Place = tuple[str, int]
# As last read, by member. A guess, never an answer: each page brings the present ones with its rows.
_places: dict[int, Place] = {}
_MOST_PLACES: Final = 20_000
_PK: Final = len(lines.COLUMNS)


def _page_of(member_id: int, asked: FirstPage) -> list[tuple[Any, ...]]:
    """The rows of the page and one more; one query where the member is where they were last time.

    Raises NotFoundError for a member who is gone.
    """
    guess = _places.get(member_id)
    if guess is not None:
        rows = _rows_at(guess, member_id, asked)
        if rows and rows[0][_PK + 1 :] == guess:
            return rows
    place = cast("Place | None", _MEMBER.row(member=member_id))
    if place is None:
        raise NotFoundError
    if guess == place:
        return rows  # none: a page without rows does not say whose it is
    if len(_places) >= _MOST_PLACES:
        _places.clear()
    _places[member_id] = place
    return _rows_at(place, member_id, asked)


def _rows_at(place: Place, member_id: int, asked: FirstPage) -> list[tuple[Any, ...]]:
    of_household = sees_household(place[0])
    owner = place[1] if of_household else member_id
    if asked.when:
        return _LINES.rows(
            asked.when, asked.size + 1, of_household, owner=owner, member=member_id, now=asked.now
        )
    return _ALL_LINES.rows(asked.size + 1, of_household, owner=owner, member=member_id)


def _member_row(*, member: int) -> QuerySet[Any, Any]:
    return Member.objects.filter(pk=member).values_list("relation", "membership_id")


def _lines(
    when: str, size: int, of_household: bool, *, owner: int, member: int, now: datetime | None = None
) -> QuerySet[Any, Any]:
    rows = (
        Reservation.objects.filter(membership_id=owner)
        if of_household
        else Reservation.objects.filter(member_id=owner)
    )
    if now is not None:
        rows = rows.upcoming(now) if when == "upcoming" else rows.past(now)
    order: Order = order_of(when)
    present = Member.objects.filter(pk=member)
    return (
        rows.annotate(
            present_relation=Subquery(present.values("relation")[:1]),
            present_membership=Subquery(present.values("membership_id")[:1]),
        )
        .order_by(*order)
        .values_list(*lines.COLUMNS, "pk", "present_relation", "present_membership")[:size]
    )


_MEMBER = Prepared(_member_row, member=int)
_LINES = Prepared(_lines, owner=int, member=int, now=datetime)
_ALL_LINES = Prepared(
    lambda size, of_household, *, owner, member: _lines("", size, of_household, owner=owner, member=member),
    owner=int,
    member=int,
)


def _plain_parameters(http: HttpRequest, names: frozenset[str]) -> dict[str, str] | None:
    """The parameters, each once and each known; None where it is not so."""
    query = http.META.get("QUERY_STRING") or ""
    return _parsed(query, names) if query.isascii() else None


@lru_cache(maxsize=1_024)
def _parsed(query: str, names: frozenset[str]) -> dict[str, str] | None:
    found = QueryDict(query)
    given = {name: values[0] for name, values in found.lists() if name in names and len(values) == 1}
    return given if len(given) == len(found) else None


def _date(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if FIRST_YEAR <= on.year < LAST_YEAR else None


availability = hot(AvailabilityView, FastAvailability())
reservations = hot(ReservationListView, FastReservations())
