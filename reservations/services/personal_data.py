"""What reservations keep of one member, and to whom staff write who have booked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member, User
from accounts.services.audiences import Audience, register_audience
from accounts.services.personal_data import forget_history, register_part
from facilities.models import Facility
from reservations.models import Guest, Reservation, ReservationEvent, Strike
from reservations.policies.states import OCCUPYING

# Who booked a place is told of it from now on and for so long; an old booking is no interest of today.
AHEAD: Final = timedelta(days=60)


def register_personal_data() -> None:
    register_part("reservations", export=_export, anonymise=_anonymise)
    register_audience(
        Audience("bookers", gettext_lazy("Who has booked a facility"), _facility_choices, _bookers)
    )


def _facility_choices() -> list[tuple[str, str]]:
    rows = Facility.objects.order_by("name", "pk").values_list("public_id", "name")
    return [(str(public_id), name) for public_id, name in rows]


def _bookers(chosen: str, at: datetime) -> QuerySet[User]:
    """Whose bookings of the facility are still to come or going on."""
    coming = Reservation.objects.filter(
        facility__public_id=chosen,
        state__in=OCCUPYING,
        ends_at__gt=at,
        starts_at__lt=at + AHEAD,
        member__user__isnull=False,
    )
    return User.objects.filter(pk__in=coming.values("member__user_id"))


def _export(member: Member) -> list[dict[str, Any]]:
    """The member's reservations, with what they wrote in them and what became of them."""
    rows = Reservation.objects.filter(member=member).select_related("facility").order_by("pk")
    return [
        {
            "facility": row.facility.name,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "state": row.state,
            "party": row.party,
            "notes": row.notes,
            "guests": list(
                row.participants.filter(guest__isnull=False)
                .order_by("pk")
                .values_list("guest__name", flat=True)
            ),
        }
        for row in rows
    ]


def _anonymise(member: Member, now: datetime) -> None:
    """Names and free texts go; times, places and states stay for the statistics."""
    mine = Reservation.objects.filter(member=member)
    nobody = _("Former member")
    mine.update(notes="", title="")
    Guest.objects.filter(host=member).update(name=nobody, letter_of_introduction="")
    Strike.objects.filter(member=member).update(reason="")
    events = ReservationEvent.objects.filter(reservation__in=mine.values("pk"))
    events.update(reason="")
    forget_history([*mine, *Guest.objects.filter(host=member), *Strike.objects.filter(member=member)])
    events.filter(actor_kind="member").update(actor_name=nobody)
