"""Notices, requests to be forgotten, copies of data, anonymity, retention, and who read what."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import resolve, reverse
from rest_framework.test import APIClient

from accounts.models import (
    DeletionRequest,
    Device,
    Member,
    MemberView,
    NoticeAcceptance,
    Notification,
    PrivacyNotice,
    PrivilegeHold,
    RecordRead,
    SmsUse,
    User,
)
from accounts.services.household import change_member
from accounts.services.notifications import notify
from accounts.services.personal_data import AlreadyAnonymisedError, anonymise_member, export_of
from accounts.services.privacy import (
    accept_notice,
    apply_retention,
    ask_for_deletion,
    decline_deletion,
    grant_deletion,
    old_rows,
    withdraw_deletion,
)
from accounts.services.sessions import open_session
from accounts.services.sms_budget import take_place
from accounts.services.viewing import end_view, find_view, identity_of, start_view
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError, NotFoundError, WrongStateError
from reservations.models import Guest, Reservation
from tests.reservations.bookings import book, wish_for

STAFF = Actor("staff", "Test Office")


@pytest.fixture
def notice(db: None, now: datetime) -> PrivacyNotice:
    return PrivacyNotice.objects.create(
        version="2026-06", title="Data", text="What we keep.", published_at=now
    )


@pytest.fixture
def office(make_staff: Callable[[str], User]) -> Client:
    browser = Client()
    browser.force_login(make_staff("Membership"))
    return browser


class TestNotice:
    def test_is_accepted_once_by_its_version(
        self, owner: Member, notice: PrivacyNotice, now: datetime
    ) -> None:
        assert owner.user_id is not None
        accept_notice(user_id=owner.user_id, version="2026-06", now=now)
        accept_notice(user_id=owner.user_id, version="2026-06", now=now + timedelta(days=1))
        assert NoticeAcceptance.objects.get().accepted_at == now

    def test_an_old_one_or_none_is_not(self, owner: Member, notice: PrivacyNotice, now: datetime) -> None:
        assert owner.user_id is not None
        PrivacyNotice.objects.create(
            version="2026-07", title="x", text="x", published_at=now + timedelta(days=1)
        )
        with pytest.raises(InvalidError):
            accept_notice(user_id=owner.user_id, version="2026-06", now=now + timedelta(days=1))
        with pytest.raises(InvalidError):
            accept_notice(user_id=owner.user_id, version="2026-07", now=now)

    def test_the_app_shows_and_accepts_it(
        self, client_of: Callable[[Member], APIClient], owner: Member, notice: PrivacyNotice
    ) -> None:
        client = client_of(owner)
        shown = client.get("/api/v1/me/privacy").data
        assert (shown["must_accept"], shown["accepted_version"]) == (True, None)
        assert client.put("/api/v1/me/privacy", {"version": "old"}).status_code == 400
        accepted = client.put("/api/v1/me/privacy", {"version": "2026-06"}).data
        assert (accepted["must_accept"], accepted["accepted_version"]) == (False, "2026-06")


class TestDeletionRequest:
    def test_is_one_at_a_time_and_can_be_taken_back(
        self, client_of: Callable[[Member], APIClient], owner: Member
    ) -> None:
        client = client_of(owner)
        first = client.put("/api/v1/me/deletion-request", {"reason": "Moving."})
        again = client.put("/api/v1/me/deletion-request", {})
        assert first.data["id"] == again.data["id"]
        assert client.delete("/api/v1/me/deletion-request").status_code == 204
        assert client.delete("/api/v1/me/deletion-request").status_code == 404
        assert client.get("/api/v1/me/privacy").data["deletion_request"]["state"] == "WITHDRAWN"

    def test_is_granted_or_declined_once(self, owner: Member, stranger: Member, now: datetime) -> None:
        asked = ask_for_deletion(member_id=owner.pk, reason="", now=now)
        decline_deletion(request=asked, by=STAFF, answer="A balance is open.", now=now)
        with pytest.raises(WrongStateError):
            grant_deletion(request=asked, by=STAFF, answer="", now=now)
        asked = ask_for_deletion(member_id=stranger.pk, reason="", now=now)
        grant_deletion(request=asked, by=STAFF, answer="As asked.", now=now)
        stranger.refresh_from_db()
        assert stranger.anonymised_at == now
        with pytest.raises(NotFoundError):
            withdraw_deletion(member_id=stranger.pk, now=now)

    @pytest.mark.parametrize(("action", "state"), [("forget", "DONE"), ("decline", "DECLINED")])
    def test_staff_act_on_it_with_a_reason(
        self, office: Client, owner: Member, travel: Any, now: datetime, action: str, state: str
    ) -> None:
        asked = ask_for_deletion(member_id=owner.pk, reason="", now=now)
        url = reverse("admin:accounts_deletionrequest_changelist")
        chosen = {"action": action, "_selected_action": [asked.pk]}
        assert owner.member_no in office.post(url, chosen).content.decode()
        office.post(url, chosen | {"confirmed": "1", "reason": "Checked."})
        asked.refresh_from_db()
        assert (asked.state, asked.answer) == (state, "Checked.")


class TestExport:
    def test_holds_what_is_kept_and_nothing_secret(
        self, owner: Member, court: Any, trusted: Device, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        assert owner.user is not None
        data = export_of(owner)
        assert data["member"]["member_no"] == owner.member_no
        assert data["devices"][0]["name"] == "Old phone"
        assert data["reservations"][0]["facility"] == "Court One"
        text = json.dumps(data, default=str)
        assert owner.user.password not in text
        assert trusted.token_hash not in text

    def test_the_app_gives_ones_own(self, client_of: Callable[[Member], APIClient], owner: Member) -> None:
        given = client_of(owner).get("/api/v1/me/export")
        assert given.data["data"]["member"]["last_name"] == owner.last_name
        assert given["Cache-Control"] == "no-store"

    def test_staff_take_it_and_that_is_kept(
        self, office: Client, owner: Member, front_desk: User, travel: Any
    ) -> None:
        url = reverse("admin:accounts_member_export", args=[owner.pk])
        assert json.loads(office.post(url).content)["data"]["member"]["member_no"] == owner.member_no
        assert RecordRead.objects.get().what == "export"
        desk = Client()
        desk.force_login(front_desk)
        assert desk.post(url).status_code == 403
        assert office.get(url).status_code == 405


class TestAnonymiseMember:
    def test_leaves_nothing_that_names_them_and_what_statistics_count(
        self, owner: Member, court: Any, trusted: Device, now: datetime
    ) -> None:
        user = owner.user
        assert user is not None
        open_session(user=user, device=trusted, now=now)
        notify(user_id=user.pk, kind="password_changed", context={"at": "x"}, dedupe="x", now=now)
        booked = book(owner, wish_for(court), now=now)
        Reservation.objects.filter(pk=booked.pk).update(notes="Call Zebedee", title="Zebedee's game")
        Guest.objects.create(
            host=owner, name="Zebedee Guest", guest_class="sponsored",
            valid_from=date(2026, 6, 1), valid_until=date(2026, 6, 2),
        )  # fmt: skip
        PrivilegeHold.objects.create(
            member=owner,
            source="manual",
            scope="booking",
            reason="Zebedee was loud",
            starts_at=now,
            until=now,
        )
        change_member(
            member=owner, relation="principal", first_name="Zebedee", last_name="Quux",
            birth_date=date(1980, 5, 17), can_book=True, can_view_statements=True,
            email="zebedee@example.com", mobile="0917 123 4567", now=now,
        )  # fmt: skip
        anonymise_member(member=owner, now=now)
        assert owner.birth_date == date(1980, 1, 1)
        assert Reservation.objects.count() == 1
        assert not Notification.objects.filter(user=user).exists()
        assert not Device.objects.filter(user=user).exists()
        user.refresh_from_db()
        assert (user.is_active, user.email, str(user.mobile)) == (False, "", "")
        left = str(
            [
                list(model._default_manager.values())
                for model in (Member, User, Reservation, Guest, PrivilegeHold, LogEntry)
            ]
        )
        for secret in ("Zebedee", "Quux", "zebedee@example.com", "9171234567"):
            assert secret not in left
        with pytest.raises(AlreadyAnonymisedError):
            anonymise_member(member=owner, now=now)

    def test_one_without_an_account(self, owner: Member, now: datetime) -> None:
        owner.user = None
        owner.save(update_fields=["user"])
        anonymise_member(member=owner, now=now)
        assert owner.full_name.endswith(owner.member_no)

    def test_by_the_command_only_when_it_is_meant(
        self, owner: Member, capsys: pytest.CaptureFixture[str], travel: Any
    ) -> None:
        with pytest.raises(CommandError, match="no member"):
            call_command("anonymise_member", "NOBODY")
        call_command("anonymise_member", owner.member_no.lower(), "--dry-run")
        with pytest.raises(CommandError, match="--yes"):
            call_command("anonymise_member", owner.member_no)
        owner.refresh_from_db()
        assert owner.anonymised_at is None
        call_command("anonymise_member", owner.member_no, "--yes")
        with pytest.raises(CommandError, match="anonymous before"):
            call_command("anonymise_member", owner.member_no, "--yes")
        assert "nobody in particular" in capsys.readouterr().out


class TestRetention:
    def test_deletes_what_is_older_than_its_setting_and_nothing_else(
        self, owner: Member, settings: Any, now: datetime
    ) -> None:
        assert owner.user_id is not None
        notify(user_id=owner.user_id, kind="password_changed", context={"at": "x"}, dedupe="x", now=now)
        take_place(number="+639171234567", address_key="a", text="x", now=now)
        asked = ask_for_deletion(member_id=owner.pk, reason="", now=now)
        year = now + timedelta(days=401)
        assert apply_retention(now=now + timedelta(days=39))["sms_counts"] == 0
        gone = apply_retention(now=year)
        assert gone["notifications"] == 2
        assert gone["sms_counts"] == 2
        assert SmsUse.objects.get().scope == "club"
        apply_retention(now=now + timedelta(days=4000))
        assert DeletionRequest.objects.get() == asked, "an open one waits for staff"
        settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"notifications": 0}
        assert "notifications" not in old_rows(now)

    def test_by_the_command(self, db: None, capsys: pytest.CaptureFixture[str], travel: Any) -> None:
        call_command("apply_retention", "--dry-run")
        assert "Nothing was deleted." in capsys.readouterr().out
        call_command("apply_retention")
        assert "older than 400 days" in capsys.readouterr().out


class TestReads:
    def test_opening_a_member_is_kept(self, office: Client, owner: Member) -> None:
        office.get(reverse("admin:accounts_member_change", args=[owner.pk]))
        office.get(reverse("admin:accounts_member_changelist"))
        read = RecordRead.objects.about(owner.pk).get()
        assert (read.what, read.reader_name) == ("profile", "Test Membership")

    def test_the_member_sees_it_and_nobody_else(
        self, client_of: Callable[[Member], APIClient], office: Client, owner: Member, spouse: Member
    ) -> None:
        office.get(reverse("admin:accounts_member_change", args=[owner.pk]))
        shown = client_of(owner).get("/api/v1/me/record-reads").data["results"]
        assert [(one["what"], one["reader"]) for one in shown] == [("profile", "Test Membership")]
        assert client_of(spouse).get("/api/v1/me/record-reads").data["results"] == []


class TestViewAsMember:
    def test_shows_what_the_member_gets_and_writes_nothing(
        self, office: Client, owner: Member, court: Any, travel: Any, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        see = reverse("admin:accounts_member_see", args=[owner.pk])
        assert "You cannot change anything" in office.get(see).content.decode()
        begun = office.post(see, {"confirmed": "1", "reason": "Cannot find a booking."}, follow=True)
        page = begun.content.decode()
        assert owner.member_no in page
        where = begun.redirect_chain[-1][0]
        assert "Court One" in office.get(where, {"page": "reservations?when=upcoming"}).content.decode()
        assert office.get(where, {"page": "me/export"}).status_code == 404
        assert {one.what for one in RecordRead.objects.about(owner.pk)} >= {"as_member"}
        travel.shift(timedelta(minutes=15))
        assert office.get(where).status_code == 404

    def test_is_ended_by_hand_and_nobody_elses(
        self,
        office: Client,
        owner: Member,
        stranger: Member,
        make_staff: Callable[[str], User],
        now: datetime,
    ) -> None:
        viewer, other = make_staff("Membership"), make_staff("Membership")
        view = start_view(member=owner, viewer=viewer, reason="x", now=now)
        with pytest.raises(NotFoundError):
            find_view(public_id=view.public_id, viewer_id=other.pk, now=now)
        second = start_view(member=stranger, viewer=viewer, reason="x", now=now)
        assert list(MemberView.objects.open(now)) == [second]
        end_view(view=second, now=now)
        with pytest.raises(NotFoundError):
            find_view(public_id=second.public_id, viewer_id=viewer.pk, now=now)

    def test_is_for_who_may_and_of_members_only(
        self, front_desk: User, owner: Member, make_staff: Callable[[str], User], now: datetime
    ) -> None:
        desk = Client()
        desk.force_login(front_desk)
        assert desk.get(reverse("admin:accounts_member_see", args=[owner.pk])).status_code == 403
        assert owner.user is not None
        owner.user.is_staff = True
        owner.user.save(update_fields=["is_staff"])
        with pytest.raises(WrongStateError):
            start_view(member=owner, viewer=make_staff("Membership"), reason="x", now=now)

    def test_no_method_but_reading_passes(
        self, owner: Member, make_staff: Callable[[str], User], rf: Any, now: datetime
    ) -> None:
        view = start_view(member=owner, viewer=make_staff("Membership"), reason="x", now=now)
        for method, path in (("post", "auth/logout-all"), ("patch", "me"), ("put", "me/privacy")):
            request = getattr(rf, method)(f"/api/v1/{path}", "{}", content_type="application/json")
            request.seen_as = identity_of(view)
            found = resolve(request.path_info)
            assert found.func(request, *found.args, **found.kwargs).status_code == 403

    def test_no_header_sets_it(self, client: Client, owner: Member) -> None:
        assert client.get("/api/v1/me", HTTP_SEEN_AS=str(owner.public_id)).status_code == 401
