"""What members are told: every change once, in the app and by e-mail, in words that staff edit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from accounts.models import Channel, Member, Notification
from accounts.services.messages import edit_text, find_kind, forget_edited_texts, render
from accounts.services.notifications import choose_channels
from accounts.services.outbox import due_notifications, send_notification
from facilities.models import Facility
from reservations import services
from reservations.models import Reservation
from reservations.policies.states import State
from reservations.services.errors import SlotTakenError
from reservations.services.messages import kind_of
from tests.conftest import at_club
from tests.factories import make_facility
from tests.reservations.bookings import STAFF, actor_of, book, wish_for

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
STARTS, ENDS = at_club(2, 10), at_club(2, 11)
Step = Callable[[Reservation, Member], object]

EVERYTHING: dict[str, object] = {
    "hold_minutes": 10,
    "approval_required": True,
    "approval_sla_minutes": 600,
    "confirm_within_minutes": 600,
}


def confirm(one: Reservation, owner: Member) -> Reservation:
    return services.confirm_reservation(reservation=one, by=actor_of(owner), now=one.created_at)


def cancel(one: Reservation, owner: Member) -> Reservation:
    return services.cancel_reservation(
        reservation=one, by=actor_of(owner), reason="Rain.", now=one.created_at
    )


def deny(one: Reservation, _owner: Member) -> Reservation:
    return services.decide_approval(
        reservation=one, approve=False, by=STAFF, reason="A tournament.", now=one.created_at
    )


# State → the terms of the facility, and the steps that lead there from the booking.
WAYS: dict[State, tuple[dict[str, object], list[Step]]] = {
    State.HELD: (EVERYTHING, []),
    State.PENDING_APPROVAL: (EVERYTHING, [confirm]),
    State.PENDING_CONFIRMATION: ({"confirm_within_minutes": 600}, []),
    State.CONFIRMED: ({}, []),
    State.CHECKED_IN: ({}, [lambda one, _: services.check_in(reservation=one, by=STAFF, now=STARTS)]),
    State.COMPLETED: ({}, [lambda _one, _owner: services.complete_finished(now=ENDS)]),
    State.NO_SHOW: ({}, [lambda one, _: services.mark_no_show(reservation=one, by=STAFF, now=STARTS)]),
    State.DENIED: (
        EVERYTHING,
        [confirm, deny],
    ),
    State.EXPIRED: (EVERYTHING, [lambda one, _: services.expire_due(now=one.created_at + 10 * MINUTE)]),
    State.CANCELLED_MEMBER: ({}, [cancel]),
    State.CANCELLED_CLUB: (
        {},
        [
            lambda one, _: services.cancel_by_club(
                reservation=one, by=STAFF, reason="Flooded.", now=one.created_at
            )
        ],
    ),
}


def channels(kind: str) -> list[str]:
    return list(Notification.objects.filter(kind=kind).order_by("channel").values_list("channel", flat=True))


class TestEveryState:
    @pytest.mark.parametrize("state", sorted(State))
    def test_is_told_once_by_its_channels(self, owner: Member, now: datetime, state: State) -> None:
        terms, steps = WAYS[state]
        booked = book(owner, wish_for(make_facility("Told", terms=terms)), now=now)
        for step in steps:
            step(booked, owner)

        booked.refresh_from_db()
        assert booked.state == state
        at_the_venue = {State.CHECKED_IN, State.COMPLETED}
        assert channels(kind_of(state)) == (["in_app"] if state in at_the_venue else ["email", "in_app"])

    @pytest.mark.parametrize("state", sorted(State))
    def test_has_a_text_without_a_gap(self, owner: Member, now: datetime, state: State) -> None:
        terms, steps = WAYS[state]
        booked = book(owner, wish_for(make_facility("Told", terms=terms)), now=now)
        for step in steps:
            step(booked, owner)

        message = Notification.objects.get(kind=kind_of(state), channel="in_app")
        text = render(find_kind(message.kind), Channel.IN_APP, message.context)

        assert "Told" in text.subject
        assert "$" not in text.subject + text.body
        assert text.body.rstrip().endswith(".")
        for missing in (" on .", " on  ", "until .", "by ."):
            assert missing not in text.body


class TestTell:
    def test_gives_times_by_the_clock_of_the_club(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        booked = book(owner, wish_for(court, party=3), now=now)

        context = Notification.objects.get(kind="reservation_confirmed", channel="in_app").context

        assert context == {
            "facility": "Court One",
            "when": "2 June 2026, 10:00",
            "until": "11:00",
            "party": "3",
            "deadline": "",
            "reason": "",
            "reference": str(booked.public_id)[:8],
        }

    def test_is_the_text_that_staff_edited(
        self,
        owner: Member,
        court: Facility,
        now: datetime,
        travel: time_machine.Traveller,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        # The words are edited and used in what a process does after it has committed.
        with django_capture_on_commit_callbacks(execute=True):
            edit_text(
                kind="reservation_confirmed",
                channel=Channel.EMAIL,
                subject="See you at $facility",
                body="We wait for you on $when, all $party.",
            )
            book(owner, wish_for(court, party=3), now=now)
        # A nudge may be lost; the sweeper finds what it would have sent.
        for public_id in due_notifications(now=now):
            send_notification(public_id=public_id, now=now)
        forget_edited_texts()

        (sent,) = mail.outbox
        assert sent.subject == "See you at Court One"
        assert "We wait for you on 2 June 2026, 10:00, all 3." in sent.body

    def test_follows_the_members_choice_of_channels(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        assert owner.user_id is not None
        choose_channels(user_id=owner.user_id, choices=[("reservation_confirmed", Channel.EMAIL, False)])

        book(owner, wish_for(court), now=now)

        assert channels("reservation_confirmed") == ["in_app"]

    def test_what_the_club_cancels_cannot_be_switched_off(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        assert owner.user_id is not None
        choose_channels(user_id=owner.user_id, choices=[("reservation_cancelled_club", Channel.EMAIL, False)])
        booked = book(owner, wish_for(court), now=now)

        services.cancel_by_club(reservation=booked, by=STAFF, reason="Flooded.", now=now)

        assert channels("reservation_cancelled_club") == ["email", "in_app"]

    def test_is_for_the_member_it_is_for_not_for_who_booked(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        services.create_reservation(
            wish=wish_for(court),
            member_id=owner.pk,
            membership_id=owner.membership_id,
            by=STAFF,
            now=now,
        )

        assert {row.user_id for row in Notification.objects.all()} == {owner.user_id}

    def test_a_member_without_a_sign_in_is_told_nothing(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        owner.user = None
        owner.save()

        booked = book(owner, wish_for(court), now=now)
        services.cancel_reservation(reservation=booked, by=STAFF, reason="", now=now)

        assert not Notification.objects.exists()

    def test_a_refused_change_tells_nobody(
        self, owner: Member, stranger: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        before = Notification.objects.count()

        with pytest.raises(SlotTakenError):
            book(stranger, wish_for(court), now=now)

        assert Notification.objects.count() == before

    def test_is_worth_sending_until_the_booking_is_over(
        self, owner: Member, court: Facility, now: datetime
    ) -> None:
        book(owner, wish_for(court, day=5), now=now)

        row = Notification.objects.get(kind="reservation_confirmed", channel="email")
        assert row.valid_until == at_club(5, 11)


class TestPushChange:
    def test_hints_the_members_sockets_after_commit(
        self,
        owner: Member,
        court: Facility,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        pushed: list[tuple[object, dict[str, object]]] = []
        monkeypatch.setattr(
            "reservations.services.messages.push.to_user", lambda who, message: pushed.append((who, message))
        )

        booked = book(owner, wish_for(court), now=now)
        services.cancel_reservation(reservation=booked, by=actor_of(owner), reason="", now=now)

        assert owner.user is not None
        changes = [(who, message) for who, message in pushed if message["type"] == "reservation.changed"]
        assert changes == [
            (
                owner.user.public_id,
                {
                    "type": "reservation.changed",
                    "reservation": str(booked.public_id),
                    "state": state,
                    "version": version,
                },
            )
            for state, version in (("CONFIRMED", 1), ("CANCELLED_MEMBER", 2))
        ]
