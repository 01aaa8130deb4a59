"""The back office of places, as its tests fill it in and read it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.test import Client

from accounts.models import User
from facilities.models import Closure, Facility, OpeningPeriod, Space
from reservations.models import Reservation
from tests.conftest import at_club

ADMIN = "/admin/facilities"


LISTS = ["closure", "facility", "holiday", "openingperiod", "space"]


READERS = {"Front Desk", "Facilities", "Ops", "Auditor"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def closing(target: Facility | Space, **change: Any) -> dict[str, Any]:
    """What the form of a closure sends: tomorrow from eight to six."""
    return {
        "facility": target.pk if isinstance(target, Facility) else "",
        "space": target.pk if isinstance(target, Space) else "",
        "starts_at": "2026-06-02T08:00",
        "ends_at": "2026-06-02T18:00",
        "reason": "The net is torn.",
        "handling": "notify",
    } | change


def hidden(response: Any) -> dict[str, Any]:
    """What the page of decisions sends along by itself."""
    page = response.content.decode()
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def decided(response: Any, **decisions: Any) -> dict[str, Any]:
    """The page filled in: ``decided(page, decisions={booking.pk: "keep"}, reason="…")``."""
    chosen = {f"decision-{pk}": value for pk, value in decisions.pop("decisions", {}).items()}
    reason = {"decide-reason": decisions.pop("reason")} if "reason" in decisions else {}
    return hidden(response) | chosen | reason | decisions


def rows(response: Any) -> list[tuple[Any, ...]]:
    return [(row.booking.pk, row.chosen, row.is_new) for row in response.context["rows"]]


def faults(response: Any) -> list[str]:
    form = response.context["adminform"].form
    return [str(text) for texts in form.errors.values() for text in texts]


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def state_of(reservation: Reservation) -> str:
    return Reservation.objects.get(pk=reservation.pk).state


def in_force(target: Facility, *, now: datetime, day: int = 2) -> Closure:
    return Closure.objects.create(
        facility=target,
        starts_at=at_club(day, 8),
        ends_at=at_club(day, 18),
        reason="Works.",
        confirmed_at=now,
    )


def spans(*days: int, opens: str = "06:00", closes: str = "22:00") -> dict[str, Any]:
    """The rows of a new period: all eight are sent, and those without times are left out."""
    body: dict[str, Any] = {"spans-TOTAL_FORMS": 8, "spans-INITIAL_FORMS": 0}
    for day in range(8):
        times = {"opens": opens, "closes": closes} if day in days else {"opens": "", "closes": ""}
        body |= {f"spans-{day}-{name}": value for name, value in {"weekday": day, **times}.items()}
    return body


def kept_spans(period: OpeningPeriod, **times: str) -> dict[str, Any]:
    """The rows of a period as they stand, each with the given times instead."""
    rows = list(period.spans.order_by("weekday", "opens", "pk"))
    body: dict[str, Any] = {"spans-TOTAL_FORMS": len(rows), "spans-INITIAL_FORMS": len(rows)}
    for number, span in enumerate(rows):
        shown = {
            "id": span.pk,
            "period": period.pk,
            "weekday": span.weekday,
            "opens": f"{span.opens:%H:%M}",
            "closes": f"{span.closes:%H:%M}",
        }
        body |= {f"spans-{number}-{name}": value for name, value in (shown | times).items()}
    return body


def describing(facility: Facility, *spaces: Space, **change: Any) -> dict[str, Any]:
    """What the form of a facility sends, with exactly these spaces (its own unless given)."""
    links = list(facility.facility_spaces.order_by("pk")) if facility.pk else []
    body: dict[str, Any] = {
        "facility_spaces-TOTAL_FORMS": max(len(links), len(spaces)),
        "facility_spaces-INITIAL_FORMS": len(links),
        "facility_images-TOTAL_FORMS": 0,
        "facility_images-INITIAL_FORMS": 0,
    }
    chosen = [space.pk for space in spaces] or [link.space_id for link in links]
    for number, space_id in enumerate(chosen):
        body |= {
            f"facility_spaces-{number}-space": space_id,
            f"facility_spaces-{number}-facility": facility.pk,
        }
        if number < len(links):
            body[f"facility_spaces-{number}-id"] = links[number].pk
    return body | {
        "name": facility.name,
        "code": facility.code,
        "kind": facility.kind,
        "takes": facility.takes,
        "position": facility.position,
        "state": facility.state,
    } | change  # fmt: skip
