"""Before anything is measured: the sides answer alike and write alike, on the same rows."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import Any

import httpx

from benchmarks.api.places import HOST, Place
from benchmarks.api.profile import wish_of
from benchmarks.api.rowdump import created_rows, remove_created
from benchmarks.api.servers import Running

TRIES = 3
# Drawn at random or read from the clock; `reference` is the beginning of the id.
OWN = frozenset({"id", "reference", "created_at"})


class DifferentError(Exception):
    """The sides are not doing the same work, so that there is nothing to compare."""


def headers_of(token: str, **more: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Host": HOST,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "127.0.0.1",
        **more,
    }


def availability_path(club: dict[str, Any]) -> str:
    return f"/api/v1/facilities/{club['watched']}/availability?from={club['first']}&to={club['last']}"


LIST_PATH = "/api/v1/reservations?when=upcoming&page_size=20"


def check_equal(where: Place, club: dict[str, Any], sides: list[Running]) -> str:
    """A sentence on what was compared. Raises DifferentError naming the first difference."""
    reasons: Counter[str] = Counter()
    for token in club["lookers"]:
        body = _same(sides, availability_path(club), token)
        for day in body["days"]:
            for slot in day["slots"]:
                reasons[slot["state"]] += 1
                reasons.update(reason["code"] for reason in slot["reasons"])
    for token in club["readers"]:
        body = _same(sides, LIST_PATH, token)
        if len(body["results"]) != 20 or body["next"] is None:
            raise DifferentError("A page of the list is not twenty rows with a next one.")
    for state in ("free", "taken", "closed", "refused", "quota_exceeded", "not_yet_released", "slot_taken"):
        if not reasons[state]:
            raise DifferentError(
                f"No slot of the week that is looked at is {state}: the club is not as meant."
            )
    _check_creation(where, club, sides)
    told = ", ".join(f"{name} {count}" for name, count in sorted(reasons.items()))
    weeks, pages = len(club["lookers"]), len(club["readers"])
    return f"equal replies for {weeks} weeks, {pages} pages and a creation with its rows; weeks: {told}"


def _same(sides: list[Running], path: str, token: str) -> Any:
    """The JSON of every side, which must be one. A minute may turn in between: then once more."""
    for attempt in range(TRIES):
        found = [httpx.get(side.url + path, headers=headers_of(token), timeout=30) for side in sides]
        for side, reply in zip(sides, found, strict=True):
            if reply.status_code != httpx.codes.OK:
                raise DifferentError(
                    f"{side.name} answered {reply.status_code} to {path}: {reply.text[:500]}"
                )
        bodies = [reply.json() for reply in found]
        if all(body == bodies[0] for body in bodies):
            return bodies[0]
        if attempt == TRIES - 1:
            wrong = next(n for n, body in enumerate(bodies) if body != bodies[0])
            raise DifferentError(
                f"{sides[0].name} and {sides[wrong].name} differ at {path}: "
                + _first_difference(bodies[0], bodies[wrong])
            )
    raise AssertionError("unreachable")


def _check_creation(where: Place, club: dict[str, Any], sides: list[Running]) -> None:
    wish = json.dumps(wish_of(club, 7))
    seen: list[tuple[Any, Any]] = []
    key = uuid.uuid4().hex
    for side in sides:
        remove_created(where, club)
        headers = headers_of(
            club["bookers"][7], **{"Content-Type": "application/json", "Idempotency-Key": key}
        )
        replies = [
            httpx.post(f"{side.url}/api/v1/reservations", content=wish, headers=headers, timeout=30)
            for _twice in range(2)
        ]
        if any(reply.status_code != httpx.codes.CREATED for reply in replies):
            raise DifferentError(f"{side.name} did not create: {[reply.text[:800] for reply in replies]}")
        if replies[0].content != replies[1].content or "Idempotency-Replayed" not in replies[1].headers:
            raise DifferentError(f"{side.name} did not replay a reply under the same key.")
        body = {name: value for name, value in replies[0].json().items() if name not in OWN}
        rows = created_rows(where, club)
        # Fractions of a second have six digits on one side and three on the other.
        rows["core_idempotencykey"] = [row[:-1] for row in rows["core_idempotencykey"]]
        taken = httpx.post(
            f"{side.url}/api/v1/reservations",
            content=wish,
            headers={**headers, "Idempotency-Key": uuid.uuid4().hex},
            timeout=30,
        )
        if taken.status_code != httpx.codes.CONFLICT:
            raise DifferentError(f"{side.name} booked a slot twice: {taken.status_code} {taken.text[:300]}")
        seen.append((body, rows))
    remove_created(where, club)
    for side, (body, rows) in zip(sides, seen, strict=True):
        if (body, rows) != seen[0]:
            raise DifferentError(
                f"{sides[0].name} and {side.name} create differently: "
                + (_first_difference(seen[0][0], body) or _first_difference(seen[0][1], rows))
            )


def _first_difference(one: Any, other: Any, at: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        pairs = [(f"{at}.{name}", one[name], other[name]) for name in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = [(f"{at}[{n}]", a, b) for n, (a, b) in enumerate(zip(one, other, strict=True))]
    else:
        return "" if one == other else f"{at}: {str(one)[:700]} against {str(other)[:700]}"
    return next((found for name, a, b in pairs if (found := _first_difference(a, b, name))), "")
