"""The side of the front desk's page: what was opened on it, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from bcc.core.intervals import Interval
from reservations.admin import today_desk as desk
from reservations.admin.today_forms import ActForm, BlockForm, BookForm
from reservations.models import ReservationEvent
from reservations.policies.cancellation import CancellationJudgement, judge_cancellation
from reservations.policies.states import CANCELLABLE, State
from reservations.selectors.board import written
from reservations.selectors.desk import DeskBooking
from reservations.selectors.rulebook import current_rules
from reservations.selectors.today import Day, Place

# Whether the member of staff has a permission, by its name.
May = Callable[[str], bool]


@dataclass(slots=True)
class Panel:
    """The side of the page: one booking, or one slot of a place with what can be put there."""

    place: Place
    slot: Interval | None = None
    inside: list[DeskBooking] = field(default_factory=list)
    booking: DeskBooking | None = None
    book: BookForm | None = None
    block: BlockForm | None = None
    act: ActForm | None = None
    refused: desk.Refused | None = None
    errors: list[str] = field(default_factory=list)
    hits: list[DeskBooking] = field(default_factory=list)
    events: Sequence[ReservationEvent] = ()
    cost: CancellationJudgement | None = None
    history_url: str = ""
    member_url: str = ""
    may: frozenset[str] = frozenset()

    @property
    def at(self) -> str:
        """The start of the slot as addresses carry it."""
        return "" if self.slot is None else written(self.slot.starts_at)


def booking_panel(*, day: Day, public_id: UUID, may: May, now: datetime) -> Panel | None:
    """A booking of the day, with what can be done to it; None where it is not on the page."""
    one = day.booking(public_id)
    if one is None:
        return None
    place = day.place(one.facility.public_id)
    if place is None:
        return None
    rules = current_rules()
    version = one.row.policy_version_id
    terms = None if version is None else rules.terms.get(version)
    state = State(one.row.state)
    cost = None
    if terms is not None and state in CANCELLABLE:
        cost = judge_cancellation(terms=terms, state=state, starts_at=one.row.starts_at, now=now)
    history = _url("admin:reservations_reservation_change", one.row.pk)
    member = _url("admin:accounts_member_change", one.row.member_id) if one.row.member_id else ""
    return Panel(
        place,
        booking=one,
        act=ActForm(),
        cost=cost,
        events=list(ReservationEvent.objects.filter(reservation_id=one.row.pk).order_by("-pk")[:5]),
        history_url=history if may("reservations.view_reservation") else "",
        member_url=member if may("accounts.view_member") else "",
        may=frozenset(_steps_for(one, now))
        & frozenset(name for name, step in desk.STEPS.items() if not step.permission or may(step.permission)),
    )


def slot_panel(*, day: Day, facility: UUID, at: datetime | None, may: May) -> Panel | None:
    """A slot, a night, or an hour of a place without slots; None where nothing is open then."""
    place = day.place(facility)
    if place is None or at is None:
        return None
    slot = place.slot_at(at) or next(
        (Interval(at, at + timedelta(hours=1)) for one in place.openings if one.contains(at)), None
    )
    if slot is None:
        return None
    can_book = may(desk.BOOK_FOR_MEMBERS) and place.terms is not None and place.slot_at(at) is not None
    return Panel(
        place,
        slot=slot,
        inside=[
            one
            for one in place.bookings
            if one.is_standing and not place.facility.is_nightly and one.row.interval.overlaps(slot)
        ],
        book=BookForm(place, at) if can_book else None,
        block=BlockForm(place, slot),
    )


def _steps_for(one: DeskBooking, now: datetime) -> set[str]:
    """What can be done to a booking in its state, by the table of states and the clock."""
    row, state = one.row, State(one.row.state)
    steps = set()
    if state == State.CONFIRMED and one.is_for_member and now < row.ends_at:
        steps.add("check_in")
    if state in (State.HELD, State.PENDING_CONFIRMATION):
        steps.add("confirm")
    if state == State.CONFIRMED and one.is_for_member and row.starts_at <= now:
        steps.add("no_show")
    if state == State.CHECKED_IN or (state == State.CONFIRMED and row.starts_at <= now):
        steps.add("complete")
    if one.facility.is_nightly and one.is_standing and one.is_for_member:
        steps.add("room")
    if state in CANCELLABLE:
        steps |= {"cancel", "cancel_by_club"} if one.is_for_member else {"cancel_by_club"}
    return steps


def _url(name: str, *args: object) -> str:
    """The address of another page of the back office; "" where nobody has registered it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
