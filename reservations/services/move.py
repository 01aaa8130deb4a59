"""The one door of the state table. No other code writes ``state``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from bcc.core import transactions
from bcc.core.actors import BOOKING, STANDING, Actor
from bcc.core.errors import StaleVersionError
from bcc.core.prepared import PreparedInsert
from facilities.models import Space
from reservations.models import Reservation, ReservationEvent, SlotClaim
from reservations.policies.deadlines import deadline
from reservations.policies.states import DEADLINED, OCCUPYING, Mover, State, may_move
from reservations.policies.terms import Terms
from reservations.selectors.rulebook import Rules, current_rules
from reservations.services import messages
from reservations.services.errors import ReservationMovedOnError
from reservations.signals import reservation_changed

R = TypeVar("R")
_EVENTS = PreparedInsert(ReservationEvent)
Action = ReservationEvent.Action
_SYSTEM_MOVERS: dict[Actor, Mover] = {BOOKING: "booking", STANDING: "standing"}


def mover_of(by: Actor) -> Mover:
    """How the state table calls an actor."""
    if by.kind == "system":
        return _SYSTEM_MOVERS.get(by, "scheduler")
    return by.kind


def lock_parents(*, membership_id: int | None, facility_id: int, rules: Rules) -> None:
    """Membership first, then spaces by id: the order of every path."""
    if membership_id is not None:
        transactions.lock_rows(Membership, [membership_id])
    transactions.lock_rows(Space, [space.id for space in rules.facilities[facility_id].spaces])


def lock_parents_of(reservations: Iterable[Reservation], rules: Rules) -> None:
    """The parents of several: every membership first, then every space, each by id."""
    rows = list(reservations)
    memberships = {one.membership_id for one in rows if one.membership_id is not None}
    transactions.lock_rows(Membership, memberships)
    facilities = {one.facility_id for one in rows}
    transactions.lock_rows(Space, {space.id for pk in facilities for space in rules.facilities[pk].spaces})


def locked(reservation: Reservation, rules: Rules) -> Reservation:
    """The reservation as it stands under the lock of its parents."""
    lock_parents(membership_id=reservation.membership_id, facility_id=reservation.facility_id, rules=rules)
    return Reservation.objects.select_related("facility", "member__user", "policy_version__policy").get(
        pk=reservation.pk
    )


def at_version(*, reservation: Reservation, version: int, step: Callable[[Reservation], R]) -> R:
    """Take ``step`` under the lock if the reservation is still as somebody saw it.

    For people who decide about what a page showed them. Raises StaleVersionError otherwise.
    """

    def work() -> R:
        seen = locked(reservation, current_rules())
        if seen.version != version:
            raise StaleVersionError(
                _("Somebody has changed this reservation in the meantime. Look at it again.")
            )
        return step(seen)

    return transactions.run(work)


def move(
    reservation: Reservation,
    *,
    to: State,
    by: Actor,
    now: datetime,
    terms: Terms | None = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Reservation:
    """Check the table, compare and set the version, write the event, give up claims, tell the member.

    Inside the caller's transaction. ``columns`` are further columns that the move sets. Raises
    ReservationMovedOnError for a move that the table lacks and StaleVersionError when somebody was faster.
    """
    source = State(reservation.state)
    if not may_move(source, to, mover_of(by)):
        raise ReservationMovedOnError
    expires_at = None
    if to in DEADLINED and terms is not None:
        expires_at = deadline(to, terms, starts_at=reservation.starts_at, now=now)
    gives_up = source in OCCUPYING and to not in OCCUPYING
    change(
        reservation,
        now=now,
        values={
            "state": to,
            "expires_at": expires_at,
            **({"ended_at": now} if gives_up else {}),
            **(columns or {}),
        },
    )
    if gives_up:
        SlotClaim.objects.filter(reservation_id=reservation.pk).delete()
    write_event(
        reservation, action=Action.MOVED, source=source, by=by, now=now, reason=reason, details=details
    )
    announce(reservation, kind=messages.kind_of(to), now=now, reason=reason)
    return reservation


def move_each(reservations: Sequence[Reservation], *, to: State, by: Actor, now: datetime) -> None:
    """What ``move`` does, for several that all give up their claims: in as many statements as for one.

    Inside the caller's transaction, and all or none. Raises what ``move`` raises.
    """
    sources = [State(one.state) for one in reservations]
    if not all(may_move(source, to, mover_of(by)) for source in sources):
        raise ReservationMovedOnError
    if to in OCCUPYING or not OCCUPYING.issuperset(sources):
        raise ValueError(f"A move to {to} of several is for those that give up their claims.")
    versions: dict[int, list[int]] = defaultdict(list)
    for one in reservations:
        versions[one.version].append(one.pk)
    values: dict[str, Any] = {"state": to, "expires_at": None, "ended_at": now}
    for version, ids in versions.items():
        same = Reservation.objects.filter(pk__in=ids, version=version)
        if same.update(version=version + 1, **values) != len(ids):
            raise StaleVersionError
    for one in reservations:
        one.version += 1
        for name, value in values.items():
            setattr(one, name, value)
    SlotClaim.objects.filter(reservation_id__in=[one.pk for one in reservations]).delete()
    _EVENTS.many(
        [
            _event_of(one, action=Action.MOVED, source=source, by=by, now=now)
            for one, source in zip(reservations, sources, strict=True)
        ]
    )
    messages.tell_each(reservations, kind=messages.kind_of(to), now=now)
    messages.push_changes(reservations)
    for one in reservations:
        signal(one, now)


def change(reservation: Reservation, *, now: datetime, values: Mapping[str, Any]) -> None:
    """Compare and set: the row as read, or StaleVersionError."""
    version = reservation.version + 1
    updated = Reservation.objects.filter(pk=reservation.pk, version=reservation.version).update(
        version=version, **values
    )
    if not updated:
        raise StaleVersionError
    reservation.version = version
    for name, value in values.items():
        setattr(reservation, name, value)


def write_event(
    reservation: Reservation,
    *,
    action: ReservationEvent.Action,
    source: State | None,
    by: Actor,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    event = _event_of(
        reservation, action=action, source=source, by=by, now=now, reason=reason, details=details
    )
    _EVENTS.many([event])


def _event_of(
    reservation: Reservation,
    *,
    action: ReservationEvent.Action,
    source: State | None,
    by: Actor,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> ReservationEvent:
    return ReservationEvent(
        reservation_id=reservation.pk,
        action=action,
        from_state=source or "",
        to_state=reservation.state,
        actor_kind=by.kind,
        actor_name=by.name,
        actor_user_id=by.user_id,
        reason=reason,
        details=dict(details or {}),
        at=now,
    )


def announce(reservation: Reservation, *, kind: str, now: datetime, reason: str = "") -> None:
    """Tell the member, hint their sockets, and let the other apps know, all after commit."""
    member = reservation.member
    if member is not None:
        messages.tell(
            reservation,
            kind=kind,
            user_id=member.user_id,
            now=now,
            facility_name=reservation.facility.name,
            reason=reason,
        )
        messages.push_change(reservation, member.user.public_id if member.user else None)
    signal(reservation, now)


def signal(reservation: Reservation, now: datetime) -> None:
    pk, state = reservation.pk, str(reservation.state)

    def send() -> None:
        reservation_changed.send(sender=Reservation, reservation_id=pk, state=state, at=now)

    transactions.after_commit(send)
