"""The back office of reservations, as its tests fill it in and read it."""

from __future__ import annotations

from typing import Any

from accounts.models import Member
from facilities.models import Facility
from reservations.models import Reservation

LIST = "/admin/reservations/reservation/"


TEST = f"{LIST}test/"


READERS = {"Front Desk", "Facilities", "Membership", "Finance Approver", "Ops", "Auditor"}


BOOKERS = {"Front Desk", "Facilities"}


# Rights that need more than the desk's own.
OF_THE_DESK = {"Front Desk", "Facilities"}


def page_of(row: Reservation, step: str = "", *, version: int | None = None) -> str:
    if not step:
        return f"{LIST}{row.pk}/change/"
    return f"{LIST}{row.pk}/step/{step}/?version={row.version if version is None else version}"


def because(reason: str = "A good reason.") -> dict[str, str]:
    return {"confirmed": "yes", "reason": reason}


def wish_body(court: Facility, owner: Member, **changes: Any) -> dict[str, Any]:
    return {
        "facility": court.pk,
        "type": "NORMAL",
        "member": owner.member_no,
        "starts_at": "2026-06-02T10:00",
        "ends_at": "",
        "party": 2,
        **changes,
    }


def fresh(row: Reservation) -> Reservation:
    return Reservation.objects.get(pk=row.pk)
