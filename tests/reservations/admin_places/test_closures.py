"""Closures as they are listed and lifted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from facilities.models import Closure, Facility
from reservations.models import Reservation
from tests.conftest import at_club
from tests.reservations.admin_places.pages import (
    ADMIN,
    closing,
    in_force,
    said,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("travel")]


class TestClosureList:
    def test_says_what_is_in_force_and_how_many_it_hits(
        self, grounds: Client, booked: Reservation, later: Reservation, court: Facility, now: datetime
    ) -> None:
        in_force(court, now=now)
        in_force(court, now=now, day=1)
        Closure.objects.create(
            space=court.spaces.get(), starts_at=at_club(2, 8), ends_at=at_club(2, 12), reason="Paint."
        )

        content = grounds.get(f"{ADMIN}/closure/").content.decode()

        for text in (
            "in force from 2 Jun, 08:00",
            "closed now",
            "draft, not in force",
            "Court One and all on it",
        ):
            assert text in content
        assert re.findall(r'field-bookings_hit">([^<]+)<', content) == ["1", "2", "–"]

    @pytest.mark.parametrize(("when", "found"), [("coming", 1), ("draft", 1), ("over", 1), ("", 3)])
    def test_can_be_narrowed(
        self, grounds: Client, court: Facility, now: datetime, when: str, found: int
    ) -> None:
        in_force(court, now=now)
        Closure.objects.filter(pk=in_force(court, now=now).pk).update(confirmed_at=None)
        Closure.objects.filter(pk=in_force(court, now=now).pk).update(
            starts_at=at_club(1, 5), ends_at=at_club(1, 6)
        )
        listed = grounds.get(f"{ADMIN}/closure/", {"when": when})
        assert listed.context["cl"].result_count == found

    def test_one_that_is_over_is_history(
        self, grounds: Client, court: Facility, now: datetime, wait_until: Callable[[datetime], None]
    ) -> None:
        closure = in_force(court, now=now)
        wait_until(at_club(3, 8))
        page = f"{ADMIN}/closure/{closure.pk}/change/"

        assert 'name="_save"' not in grounds.get(page).content.decode()
        assert grounds.post(page, closing(court)).status_code == 403
        assert grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/").status_code == 403

    def test_a_draft_is_deleted_and_one_in_force_is_not(
        self, grounds: Client, court: Facility, now: datetime
    ) -> None:
        closure = in_force(court, now=now)
        page = f"{ADMIN}/closure/{closure.pk}/delete/"
        assert grounds.post(page, {"post": "yes"}).status_code == 403

        Closure.objects.update(confirmed_at=None)
        assert grounds.post(page, {"post": "yes"}).status_code == 302
        assert not Closure.objects.exists()


class TestLifting:
    def test_ends_it_now(
        self, grounds: Client, court: Facility, now: datetime, wait_until: Callable[[datetime], None]
    ) -> None:
        closure = in_force(court, now=now)
        wait_until(at_club(2, 9))
        page = f"{ADMIN}/closure/{closure.pk}/lift/"

        assert "Members can book the time again" not in grounds.get(page).content.decode()
        assert "stay cancelled" in grounds.get(page).content.decode()
        sent = grounds.post(page, follow=True)

        assert said(sent) == ["The closure was lifted. Members can book the time again."]
        assert Closure.objects.get().ends_at == at_club(2, 9)

    def test_takes_one_away_that_has_not_begun(self, grounds: Client, court: Facility, now: datetime) -> None:
        closure = in_force(court, now=now)
        assert grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/").status_code == 302
        assert not Closure.objects.exists()

    def test_has_nothing_to_do_with_a_draft(self, grounds: Client, court: Facility, now: datetime) -> None:
        closure = in_force(court, now=now)
        Closure.objects.update(confirmed_at=None)

        sent = grounds.post(f"{ADMIN}/closure/{closure.pk}/lift/", follow=True)

        assert "not in force" in said(sent)[0]
        assert Closure.objects.exists()

    def test_finds_no_other(self, grounds: Client) -> None:
        assert grounds.get(f"{ADMIN}/closure/77/lift/").status_code == 404
