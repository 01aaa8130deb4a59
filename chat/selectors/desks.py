"""The desks as members see them, and their hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bcc.core import clock
from chat.models import Desk, DeskSpan
from chat.policies.hours import Span, is_staffed, next_opening


@dataclass(frozen=True, slots=True)
class DeskNow:
    """A desk at an instant."""

    desk: Desk
    hours: tuple[Span, ...]
    is_open: bool
    opens_at: datetime | None


def spans_of(desk_id: int) -> list[Span]:
    rows = DeskSpan.objects.filter(desk=desk_id).order_by("weekday", "opens", "pk")
    return [Span(*row) for row in rows.values_list("weekday", "opens", "closes")]


def desks_at(now: datetime) -> list[DeskNow]:
    """Those that members are shown, in order. Two queries."""
    local = now.astimezone(clock.zone())
    desks = Desk.objects.filter(is_shown=True).prefetch_related("spans").order_by("position", "name", "pk")
    found = []
    for desk in desks:
        spans = tuple(
            sorted(
                (Span(one.weekday, one.opens, one.closes) for one in desk.spans.all()),
                key=lambda one: (one.weekday, one.opens),
            )
        )
        found.append(DeskNow(desk, spans, is_staffed(spans, local), next_opening(spans, local)))
    return found
