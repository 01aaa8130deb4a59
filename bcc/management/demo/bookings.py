"""Some weeks of the demo club's bookings, each made as of its own time by the club's own rules."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Member, Notification, Relation, Standing
from bcc.core.actors import DEMO, Actor
from bcc.core.errors import RuleError
from bcc.core.intervals import Interval
from bcc.management.demo.places import at_club
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation, Type
from reservations.policies.states import State
from reservations.policies.terms import FacilityFacts
from reservations.selectors.availability import bookable_intervals
from reservations.selectors.rulebook import Rules, current_rules
from reservations.services.booking import Companion, Wish, announce_refusal
from reservations.services.errors import SlotTakenError

WAITING = (State.HELD, State.PENDING_CONFIRMATION)


@dataclass(slots=True)
class Booked:
    made: int = 0
    refused: int = 0


def load_bookings(plan: dict[str, Any], *, members: list[Member], cast: set[int], now: datetime) -> Booked:
    """Past and coming bookings as ``plan`` says. Memberships in ``cast`` have past ones only.

    Whoever tries the app with their sign-ins finds a history, and nothing in the way of quotas.
    """
    return _Club(plan, members, cast, now).load()


class _Club:
    def __init__(self, plan: dict[str, Any], members: list[Member], cast: set[int], now: datetime) -> None:
        self.plan = plan
        self.now = now
        self.rules: Rules = current_rules()
        self.chance = random.Random(74)  # noqa: S311 - the same demo club every time
        codes = Facility.objects.order_by("pk").values_list("code", "pk")
        self.facilities = {code: self.rules.facilities[pk] for code, pk in codes}
        self.bookers = [member for member in members if member.relation != Relation.DEPENDENT]
        self.newcomers = [member for member in self.bookers if member.membership_id not in cast]
        self.family: dict[int, list[Member]] = {}
        for member in members:
            self.family.setdefault(member.membership_id, []).append(member)
        self.booked = Booked()

    def load(self) -> Booked:
        today = self.now.astimezone(self.rules.zone).date()
        for taken in self.plan["taken_by_the_club"]:
            self._take(taken, today)
        for offset in range(-self.plan["days_back"], self.plan["days_ahead"] + 1):
            for code, usual in self.plan["usual"].items():
                self._fill(self.facilities[code], usual, today + timedelta(days=offset), offset)
        for request in self.plan["requests"]:
            self._request(request, today)
        # In the order of the clock: what nobody confirmed lapses before anybody is missed.
        while services.expire_due(now=self.now):
            pass
        services.mark_no_shows(now=self.now)
        services.complete_finished(now=self.now)
        # Nobody waits for the e-mails of weeks that never were; they would flood the terminal.
        unsent = Notification.objects.filter(state=Notification.State.PENDING)
        unsent.update(state=Notification.State.EXPIRED)
        return self.booked

    def _fill(self, facility: FacilityFacts, usual: dict[str, Any], on: date, offset: int) -> None:
        terms = facility.terms_on(on, None)
        if terms is None:
            return
        slots = bookable_intervals(on, facility, terms, self.rules)
        weekday, weekend = usual["a_day"]
        wanted = weekend if on.weekday() >= 5 else weekday
        if abs(offset) > 7:
            wanted = round(wanted * self.plan["before_that"])
        places = min((space.lanes for space in facility.spaces), default=1)
        chosen = (
            self.chance.sample(slots, min(wanted, len(slots)))
            if places == 1
            else self.chance.choices(slots, k=wanted if slots else 0)
        )
        for interval in chosen:
            self._book(facility, usual, interval)

    def _book(self, facility: FacilityFacts, usual: dict[str, Any], interval: Interval) -> None:
        chance, plan = self.chance, self.plan
        lead = timedelta(hours=chance.uniform(*usual.get("hours_ahead", plan["hours_ahead"])))
        as_of = min(interval.starts_at - lead, self.now)
        is_over = interval.ends_at <= self.now
        member = chance.choice(self.bookers if is_over else self.newcomers)
        by = _actor(member)
        size = chance.randint(*usual["party"])
        wish = Wish(
            facility.public_id,
            interval.starts_at,
            interval.ends_at,
            party=size,
            companions=self._company(member, size),
        )
        try:
            reservation = services.create_reservation(
                wish=wish,
                member_id=member.pk,
                membership_id=member.membership_id,
                by=by,
                now=as_of,
            )
            self.booked.made += 1
            self._follow(reservation, by, interval, as_of)
        except (RuleError, SlotTakenError) as refused:
            # The club's own rules say no to some of what chance proposes: the report of unmet demand.
            self.booked.refused += 1
            announce_refusal(refused, wish=wish, member_id=member.pk, now=as_of)

    def _follow(self, reservation: Reservation, by: Actor, interval: Interval, as_of: datetime) -> None:
        """Confirmed or left alone, taken back or come to, as far as the clock allows."""
        chance, plan = self.chance, self.plan
        if reservation.state == State.HELD:
            reservation = services.confirm_reservation(reservation=reservation, by=by, now=as_of)
        if reservation.state == State.PENDING_CONFIRMATION:
            if chance.random() > plan["confirmed"]:
                return
            reservation = services.confirm_reservation(reservation=reservation, by=by, now=as_of)
        if reservation.state != State.CONFIRMED:
            return
        if chance.random() < plan["cancelled"]:
            services.cancel_reservation(reservation=reservation, by=by, reason="Plans changed.", now=as_of)
        elif interval.starts_at <= self.now and chance.random() < plan["came"]:
            reservation = services.check_in(reservation=reservation, by=DEMO, now=interval.starts_at)
            if interval.ends_at <= self.now:
                services.complete_reservation(reservation=reservation, by=DEMO, now=interval.ends_at)

    def _company(self, member: Member, size: int) -> tuple[Companion, ...]:
        """Family first; sometimes a guest by name; the rest are to be named later."""
        relatives = [one for one in self.family[member.membership_id] if one.pk != member.pk]
        company = [Companion(member=one.public_id) for one in relatives[: max(0, size - 2)]]
        if size > 1 and self.chance.random() < self.plan["guests"]:
            company.append(Companion(guest_name=f"Demo Guest {self.chance.randint(1, 400)}"))
        return tuple(company[: size - 1])

    def _request(self, said: dict[str, Any], today: date) -> None:
        hosts = [
            one
            for one in self.newcomers
            if one.relation == Relation.PRINCIPAL and one.membership.standing == Standing.GOOD
        ]
        member = self.chance.choice(hosts)
        reservation = services.create_reservation(
            wish=Wish(
                self.facilities[said["facility"]].public_id,
                *self._bounds(said, today),
                party=said["party"],
                notes=said["notes"],
            ),
            member_id=member.pk,
            membership_id=member.membership_id,
            by=_actor(member),
            now=self.now,
        )
        self.booked.made += 1
        if said.get("approve"):
            services.decide_approval(
                reservation=reservation, approve=True, by=DEMO, reason="The hall is yours.", now=self.now
            )

    def _take(self, said: dict[str, Any], today: date) -> None:
        services.block_facility(
            facility_id=self.facilities[said["facility"]].id,
            interval=Interval(*self._bounds(said, today)),
            type=Type(said["type"]),
            title=said["title"],
            by=DEMO,
            now=self.now,
        )

    def _bounds(self, said: dict[str, Any], today: date) -> tuple[datetime, datetime]:
        on = today + timedelta(days=said["in_days"])
        starts_at = at_club(on, said["starts"])
        return starts_at, starts_at + timedelta(hours=said["hours"])


def _actor(member: Member) -> Actor:
    return Actor("member", member.full_name, member.user_id, member.pk)
