"""How a reservation and its history are said to staff."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reservations.admin.pages import club_time
from reservations.models import Reservation, ReservationEvent
from reservations.models.reservation import STATE_LABELS

_LABELS = {state.value: label for state, label in STATE_LABELS.items()}


def state_badge(row: Reservation) -> SafeString:
    return format_html('<span class="state {}">{}</span>', row.state.lower(), row.get_state_display())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    at: datetime
    what: str
    by: str
    reason: str
    details: str


def say_event(event: ReservationEvent) -> Line:
    what = str(event.get_action_display())
    if event.action == ReservationEvent.Action.MOVED:
        what = f"{_state(event.from_state)} → {_state(event.to_state)}"
    elif event.action == ReservationEvent.Action.CREATED:
        what = f"{what}: {_state(event.to_state)}"
    return Line(event.at, what, event.actor_name, event.reason, say_details(event.details))


def _state(code: str) -> str:
    return str(_LABELS.get(code, code))


def say_details(details: dict[str, Any]) -> str:
    """What an event keeps beside its states, in words; what has none is told by its name."""
    said = []
    # Not every database keeps the order of the keys.
    for name, value in sorted(details.items(), key=lambda one: {"from": 0, "to": 1}.get(one[0], 2)):
        match name:
            case "from" | "to" if isinstance(value, list):
                word = _("from") if name == "from" else _("to")
                said.append(f"{word} {_moment(value[0])} – {_moment(value[1], 'H:i')}")
            case "late_since":
                said.append(_("free until %(at)s") % {"at": _moment(value)})
            case "cost":
                costs = {
                    "free": _("cost nothing"), "strike": _("cost a strike"), "charge": _("was charged"),
                }  # fmt: skip
                said.append(costs.get(value, str(value)))
            case "rules_waived":
                said.append(_("the rules of the house were set aside"))
            case "room":
                said.append(_("room %(room)s") % {"room": value or "–"})
            case "guests":
                said.append(_("%(count)d guests") % {"count": value})
            case "unnamed":
                said.append(_("%(count)d still to be named") % {"count": value})
            case "waived":
                said.append(_("the strike") if value == "strike" else _("the charge"))
            case _other:
                said.append(f"{name}: {value}")
    return ", ".join(said)


def _moment(text: str, form: str = "D j M Y, H:i") -> str:
    return club_time(datetime.fromisoformat(text), form)


@dataclass(frozen=True, slots=True)
class Held:
    """What a reservation holds of one space."""

    space: str
    cells: int
    first: datetime
    last: datetime
    lanes: str


def say_claims(row: Reservation) -> list[Held]:
    """Its claims, a line a space; a pool's day has two thousand of them."""
    cells: dict[str, set[datetime]] = defaultdict(set)
    lanes: dict[str, set[int]] = defaultdict(set)
    claims = row.claims.order_by("space__name", "space_id", "cell_start", "lane")
    for space, cell, lane in claims.values_list("space__name", "cell_start", "lane"):
        cells[space].add(cell)
        lanes[space].add(lane)
    return [
        Held(
            space,
            len(starts),
            min(starts),
            max(starts),
            ", ".join(str(lane) for lane in sorted(lanes[space])),
        )
        for space, starts in cells.items()
    ]
