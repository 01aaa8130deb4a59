"""What the front desk does, each by one call of a service; a refusal comes back as something to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from accounts.policies.identifiers import member_number_key
from bcc.core import clock, transactions
from bcc.core.actors import Actor
from bcc.core.errors import ConflictError, NotAllowedError, RuleFailure
from bcc.core.models import IdempotencyKey
from reservations import services
from reservations.admin.today_forms import BlockForm, BookForm, Choice, interval_of, read_choice
from reservations.models import Reservation, ReservationEvent, Type
from reservations.policies.rules import PHYSICAL
from reservations.policies.rules.place import SlotRule
from reservations.policies.states import State
from reservations.selectors.desk import find_guests, find_member_numbers, find_members
from reservations.selectors.today import Place
from reservations.services.booking import Companion, Wish
from reservations.services.errors import Refusal

R = TypeVar("R")
BOOK_FOR_MEMBERS: Final = "reservations.book_for_members"
WAIVE_COST: Final = "reservations.waive_cost"
# What nobody can set aside (docs/decisions/0003).
NEVER_WAIVED: Final = frozenset({rule.code for rule in PHYSICAL} | {SlotRule.length_code, "not_bookable"})


class DoneAlreadyError(ConflictError):
    code = "done_already"
    default_detail = gettext_lazy(
        "This was done already: the button was pressed twice. Nothing was done twice."
    )


class OvertakenError(ConflictError):
    """Somebody changed the booking after the page was shown."""

    code = "overtaken"


@dataclass(slots=True)
class Refused:
    """Why a booking was refused, and what would pass; or whom the desk may have meant."""

    failures: list[tuple[RuleFailure, bool]] = field(default_factory=list)
    alternatives: list[tuple[str, Choice]] = field(default_factory=list)
    candidates: list[Member] = field(default_factory=list)

    @property
    def can_be_waived(self) -> bool:
        return bool(self.failures) and all(waivable for _failure, waivable in self.failures)


def choose_member(form: BookForm) -> Member | list[Member]:
    """The one whom the form names, or those it may mean: none, or several."""
    chosen: UUID | None = form.cleaned_data["chosen"]
    if chosen is not None:
        found = Member.objects.with_household().filter(public_id=chosen).first()
        if found is not None:
            return found
    people = find_members(form.cleaned_data["member"])
    return people[0] if len(people) == 1 else people


def companions_of(form: BookForm, member: Member) -> tuple[Companion, ...]:
    """Each line as a member by number, a guest whom the household has brought before, or a new guest."""
    members = find_member_numbers(form.lines)
    guests = find_guests(host=member, names=form.lines)
    companions = []
    for line in form.lines:
        other = members.get(member_number_key(line))
        if other is not None:
            companions += [Companion(member=other.public_id)] if other.pk != member.pk else []
        elif line.casefold() in guests:
            companions.append(Companion(guest=guests[line.casefold()].public_id))
        else:
            companions.append(Companion(guest_name=line[:120]))
    return tuple(companions)


def book(
    *, form: BookForm, place: Place, member: Member, take: str, by: Actor, principal: UUID, now: datetime
) -> Reservation:
    """Book for ``member``: the slot of the form, or the alternative that was taken instead.

    Raises what ``create_reservation`` raises, with alternatives, and DoneAlreadyError.
    """
    said = form.cleaned_data
    choice = read_choice(take)
    if choice is None:
        interval = place.terms and interval_of(place, place.terms, said["starts_at"], said["slots"])
        if not interval:
            raise ConflictError(_("There is no such slot any more. Choose it again."))
        choice = Choice(place.facility.public_id, interval.starts_at, interval.ends_at)
    wish = Wish(
        choice.facility,
        choice.starts_at,
        choice.ends_at,
        party=said["party"],
        companions=companions_of(form, member),
        notes=said["notes"],
    )

    def work() -> Reservation:
        return services.create_reservation(
            wish=wish,
            member_id=member.pk,
            membership_id=member.membership_id,
            by=by,
            now=now,
            waive=said["waive"],
            reason=said["reason"],
        )

    with services.offering_alternatives(wish=wish, member_id=member.pk, now=now):
        return once(principal=principal, key=said["once"], now=now, work=work)


def explain(refused: Refusal) -> Refused:
    """A refusal as the page shows it: each rule, whether it can be set aside, and what would pass."""
    failures = refused.rules or [RuleFailure(refused.code, str(refused.detail))]
    return Refused(
        [(failure, failure.code not in NEVER_WAIVED) for failure in failures],
        [
            (one["name"], Choice(UUID(str(one["facility"])), one["starts_at"], one["ends_at"]))
            for one in refused.alternatives
        ],
    )


def block(*, form: BlockForm, place: Place, by: Actor, principal: UUID, now: datetime) -> Reservation:
    """Take the place for the club. Raises SlotTakenError and DoneAlreadyError."""
    said, interval = form.cleaned_data, form.interval
    if interval is None:
        raise ConflictError(_("The clock skips this time of the day. Choose another one."))

    def work() -> Reservation:
        return services.block_facility(
            facility_id=place.facility.id,
            interval=interval,
            type=Type(said["type"]),
            title=said["title"],
            lanes=said.get("lanes"),
            notes=said["notes"],
            by=by,
            now=now,
        )

    return once(principal=principal, key=said["once"], now=now, work=work)


def once(*, principal: UUID, key: UUID, now: datetime, work: Callable[[], R]) -> R:
    """Run ``work`` in one transaction, and only the first time for a form. Raises DoneAlreadyError."""

    def first() -> R:
        try:
            IdempotencyKey.objects.create(
                principal=principal, route="desk", key=str(key), body_sha256="", created_at=now
            )
        except IntegrityError as error:
            raise DoneAlreadyError from error
        return work()

    return transactions.run(first)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done to a booking: ``run(booking, by, now, what was filled in)``."""

    run: Callable[[Reservation, Actor, datetime, Mapping[str, Any]], Reservation]
    done: Any
    needs_reason: bool = False
    permission: str = ""


def _cancel_for_member(row: Reservation, by: Actor, now: datetime, said: Mapping[str, Any]) -> Reservation:
    return services.cancel_reservation(
        reservation=row, by=by, reason=said["reason"], now=now, waive=said["waive_cost"]
    )


STEPS: Final[dict[str, Step]] = {
    "check_in": Step(
        lambda row, by, now, said: services.check_in(reservation=row, by=by, now=now),
        gettext_lazy("%(who)s is checked in."),
    ),
    "confirm": Step(
        lambda row, by, now, said: services.confirm_reservation(reservation=row, by=by, now=now),
        gettext_lazy("The booking of %(who)s is confirmed."),
    ),
    "no_show": Step(
        lambda row, by, now, said: services.mark_no_show(
            reservation=row, by=by, now=now, reason=said["reason"]
        ),
        gettext_lazy("%(who)s did not come; the place is free again."),
    ),
    "complete": Step(
        lambda row, by, now, said: services.complete_reservation(reservation=row, by=by, now=now),
        gettext_lazy("The booking of %(who)s is completed."),
    ),
    "room": Step(
        lambda row, by, now, said: services.assign_room(
            reservation=row, room_no=said["room_no"], by=by, now=now
        ),
        gettext_lazy("%(who)s has room %(room)s."),
    ),
    "cancel": Step(
        _cancel_for_member,
        gettext_lazy("The booking of %(who)s is cancelled for them."),
        needs_reason=True,
        permission=BOOK_FOR_MEMBERS,
    ),
    "cancel_by_club": Step(
        lambda row, by, now, said: services.cancel_by_club(
            reservation=row, by=by, reason=said["reason"], now=now
        ),
        gettext_lazy("The club has taken back the booking of %(who)s."),
        needs_reason=True,
    ),
}


def act(
    *, step: Step, row: Reservation, version: int, by: Actor, now: datetime, said: Mapping[str, Any]
) -> str:
    """Do one thing to the booking as the page showed it; what to tell.

    Raises OvertakenError when somebody changed it since, and what the service raises.
    """

    def work() -> Reservation:
        current = Reservation.objects.get(pk=row.pk)
        if current.version != version:
            raise OvertakenError(_overtaken(current))
        changed = step.run(current, by, now, said)
        # The service has locked the row and read it again: one step further, or somebody was between.
        if changed.version != version + 1:
            raise OvertakenError(_overtaken(Reservation.objects.get(pk=row.pk)))
        return changed

    transactions.run(work)
    return str(step.done) % {"who": who(row), "room": said.get("room_no", "")}


def require_allowed(step: Step, permissions: Callable[[str], bool], *, waives_cost: bool) -> None:
    """Raise NotAllowedError for what the member of staff may not do."""
    if step.permission and not permissions(step.permission):
        raise NotAllowedError
    if waives_cost and not permissions(WAIVE_COST):
        raise NotAllowedError(_("You may not waive what a late cancellation costs. Ask Facilities."))


def who(row: Reservation) -> str:
    """Whose it is, as the desk says it."""
    return str(row.member) if row.member is not None else row.title or str(row.get_type_display())


def _overtaken(row: Reservation) -> str:
    last = ReservationEvent.objects.filter(reservation_id=row.pk).order_by("-pk").first()
    state = State(row.state)
    label = dict(Reservation._meta.get_field("state").flatchoices)[state]
    if last is None:
        return _("It has changed in the meantime: %(state)s. Nothing was done; look at it again.") % {
            "state": label
        }
    return _("%(actor)s was faster (%(at)s): it is now “%(state)s”. Nothing was done; look at it again.") % {
        "actor": last.actor_name,
        "at": date_format(last.at.astimezone(clock.zone()), "H:i"),
        "state": label,
    }
