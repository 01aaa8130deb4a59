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

from django.db.models import QuerySet
from django.http import HttpRequest
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
        given = _plain_parameters(http, {"from", "to", "party"})
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
        given = _plain_parameters(http, {"when", PAGE_SIZE})
        if given is None:
            return None
        when, size = given.get("when", ""), given.get(PAGE_SIZE, str(KeysetPagination.page_size))
        if ("when" in given and when not in ("upcoming", "past")) or not _NUMBER.fullmatch(size):
            return None
        return FirstPage(when, int(size), http, clock.now()) if int(size) <= MAX_SIZE else None

    def answer(self, request: Request, asked: FirstPage) -> bytes:
        member_id = cast(int, cast(Identity, request.user).member_id)
        member = _MEMBER.row(member=member_id)
        if member is None:
            raise NotFoundError
        of_household = sees_household(member[0])
        owner = member[1] if of_household else member_id
        if asked.when:
            rows = _LINES.rows(asked.when, asked.size + 1, of_household, owner=owner, now=asked.now)
        else:
            rows = _ALL_LINES.rows(asked.size + 1, of_household, owner=owner)
        more, rows = len(rows) > asked.size, rows[: asked.size]
        following = None
        if more:
            following = next_link(
                asked.http,
                model=Reservation._meta.label,
                order=order_of(asked.when),
                values=(rows[-1][10], rows[-1][-1]),
            )
        results = [lines.line_of(row) for row in rows]
        return dump_utc_bytes({"results": results, "next": following, "previous": None})


def _member_row(*, member: int) -> QuerySet[Any, Any]:
    return Member.objects.filter(pk=member).values_list("relation", "membership_id")


def _lines(
    when: str, size: int, of_household: bool, *, owner: int, now: datetime | None = None
) -> QuerySet[Any, Any]:
    rows = (
        Reservation.objects.filter(membership_id=owner)
        if of_household
        else Reservation.objects.filter(member_id=owner)
    )
    if now is not None:
        rows = rows.upcoming(now) if when == "upcoming" else rows.past(now)
    order: Order = order_of(when)
    return rows.order_by(*order).values_list(*lines.COLUMNS, "pk")[:size]


_MEMBER = Prepared(_member_row, member=int)
_LINES = Prepared(_lines, owner=int, now=datetime)
_ALL_LINES = Prepared(
    lambda size, of_household, *, owner: _lines("", size, of_household, owner=owner), owner=int
)


def _plain_parameters(http: HttpRequest, names: set[str]) -> dict[str, str] | None:
    """The parameters, each once and each known; None where it is not so."""
    if not http.META.get("QUERY_STRING"):
        return {}
    given = {name: values[0] for name, values in http.GET.lists() if name in names and len(values) == 1}
    return given if len(given) == len(http.GET) else None


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
