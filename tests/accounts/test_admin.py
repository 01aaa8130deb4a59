"""The back office of accounts, as staff of each group meet it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import (
    Device,
    Member,
    Membership,
    MembershipCategory,
    MessageTemplate,
    Notification,
    PrivilegeHold,
    Session,
    User,
)
from accounts.services import one_time_passwords
from accounts.services.sessions import open_session
from bcc.core.errors import BusyError
from tests.accounts.conftest import NEW_PASSWORD

MODELS = [
    "device", "member", "membership", "membershipcategory", "messagetemplate", "notification",
    "privilegehold", "session", "user",
]  # fmt: skip


@pytest.fixture
def enter(db: None) -> Callable[[User], Client]:
    """A browser signed in to the admin."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def boss(enter: Callable[[User], Client]) -> Client:
    return enter(User.objects.create_superuser("boss", display_name="Test Boss"))


@pytest.fixture
def membership_staff(enter: Callable[[User], Client], make_staff: Callable[[str], User]) -> Client:
    return enter(make_staff("Membership"))


def faults(response: Any) -> dict[str, Any]:
    errors: dict[str, Any] = response.context["adminform"].form.errors
    return dict(errors)


def act(client: Client, model: str, action: str, rows: list[Any]) -> Any:
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/accounts/{model}/", body, follow=True)


class TestEveryPage:
    @pytest.mark.parametrize("model", MODELS)
    def test_opens_for_a_superuser(self, boss: Client, owner: Member, trusted: Device, model: str) -> None:
        assert boss.get(f"/admin/accounts/{model}/?q=x").status_code == 200

    @pytest.mark.parametrize("model", MODELS)
    def test_needs_a_sign_in(self, db: None, model: str) -> None:
        assert Client().get(f"/admin/accounts/{model}/").status_code == 302

    @pytest.mark.parametrize(
        ("group", "seen"),
        [
            ("Front Desk", {"member", "membership", "membershipcategory", "privilegehold"}),
            ("Moderator", {"member", "privilegehold"}),
            ("Finance Uploader", {"member", "membership", "membershipcategory"}),
            ("Ops", set(MODELS)),
            ("Auditor", set(MODELS)),
        ],
    )
    def test_shows_a_group_what_its_role_says(
        self, enter: Callable[[User], Client], make_staff: Callable[[str], User], group: str, seen: set[str]
    ) -> None:
        client = enter(make_staff(group))
        opened = {model for model in MODELS if client.get(f"/admin/accounts/{model}/").status_code == 200}
        assert opened == seen


class TestMembershipAdmin:
    def body(self, category: MembershipCategory, **change: Any) -> dict[str, Any]:
        formset = {"members-TOTAL_FORMS": 0, "members-INITIAL_FORMS": 0}
        return {
            "account_no": "N-1",
            "category": category.pk,
            "standing": "good",
            "valid_to": "",
            **formset,
        } | change

    def test_opens_a_household(self, membership_staff: Client, owner: Member) -> None:
        category = owner.membership.category
        added = membership_staff.post("/admin/accounts/membership/add/", self.body(category))
        made = Membership.objects.get(account_no="N-1")
        assert added.status_code == 302
        assert LogEntry.objects.get_for_object(made).count() == 1

    def test_says_on_the_form_what_the_service_refuses(self, membership_staff: Client, owner: Member) -> None:
        body = self.body(owner.membership.category, account_no=owner.membership.account_no.lower())
        refused = membership_staff.post("/admin/accounts/membership/add/", body)
        assert refused.status_code == 200
        assert faults(refused)["account_no"] == ["This account number is taken. Give another one."]

    def test_changes_standing_and_says_who_did(
        self, membership_staff: Client, owner: Member, make_staff: Callable[[str], User]
    ) -> None:
        page = f"/admin/accounts/membership/{owner.membership.pk}/change/"
        assert membership_staff.get(page).status_code == 200
        body = self.body(owner.membership.category, standing="delinquent")
        assert membership_staff.post(page, body).status_code == 302
        owner.membership.refresh_from_db()
        assert owner.membership.standing == "delinquent"
        assert owner.membership.account_no != "N-1"
        entry = LogEntry.objects.get_for_object(owner.membership).filter(action=LogEntry.Action.UPDATE).get()
        assert entry.changes == {"standing": ["good", "delinquent"]}
        assert entry.actor.groups.get().name == "Membership"

    def test_is_never_deleted(self, boss: Client, owner: Member) -> None:
        assert (
            boss.post(
                f"/admin/accounts/membership/{owner.membership.pk}/delete/", {"post": "yes"}
            ).status_code
            == 403
        )


class TestMemberAdmin:
    def body(self, **change: Any) -> dict[str, Any]:
        return {
            "relation": "spouse", "first_name": "Test", "last_name": "New", "birth_date": "1990-01-02",
            "email": "new@example.com", "mobile": "0917 123 4567", "can_book": "on",
        } | change  # fmt: skip

    def test_adds_a_person_with_an_account(self, membership_staff: Client, owner: Member) -> None:
        body = self.body(membership=owner.membership.pk, member_no="TN-1")
        assert membership_staff.get("/admin/accounts/member/add/").status_code == 200
        assert membership_staff.post("/admin/accounts/member/add/", body).status_code == 302
        made = Member.objects.select_related("user").get(member_no_key="TN1")
        assert made.user is not None
        assert (made.user.username, str(made.user.mobile)) == ("tn1", "+639171234567")

    def test_says_each_thing_that_is_refused_at_its_field(
        self, membership_staff: Client, owner: Member
    ) -> None:
        body = self.body(
            membership=owner.membership.pk,
            member_no=owner.member_no.lower().replace("-", " "),
            relation="principal",
            email="nonsense",
            mobile="8123 4567",
        )
        refused = membership_staff.post("/admin/accounts/member/add/", body)
        assert refused.status_code == 200
        assert set(faults(refused)) == {"member_no", "relation", "email", "mobile"}
        assert Member.objects.count() == 1
        assert User.objects.filter(is_staff=False).count() == 1

    def test_changes_a_person_and_keeps_the_number(self, membership_staff: Client, owner: Member) -> None:
        page = f"/admin/accounts/member/{owner.pk}/change/"
        assert owner.user is not None
        assert owner.user.email in membership_staff.get(page).content.decode()
        changed = membership_staff.post(
            page, self.body(relation="principal", member_no="X", last_name="Renamed")
        )
        assert changed.status_code == 302
        fresh = Member.objects.select_related("user").get(pk=owner.pk)
        assert fresh.user is not None
        assert (fresh.last_name, fresh.member_no) == ("Renamed", owner.member_no)
        assert fresh.user.email == "new@example.com"

    def test_a_refused_change_leaves_everything_as_it_was(
        self, membership_staff: Client, owner: Member, stranger: Member
    ) -> None:
        assert stranger.user is not None
        page = f"/admin/accounts/member/{owner.pk}/change/"
        refused = membership_staff.post(page, self.body(relation="principal", email=stranger.user.email))
        assert faults(refused)["email"] == ["Somebody else has this e-mail address. Give another one."]
        owner.refresh_from_db()
        assert owner.last_name == "Owner"

    def test_a_busy_database_is_a_message_to_try_again(
        self, membership_staff: Client, owner: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**_: Any) -> None:
            raise BusyError

        monkeypatch.setattr("accounts.admin.members.change_member", busy)
        page = f"/admin/accounts/member/{owner.pk}/change/"
        refused = membership_staff.post(page, self.body(relation="principal"))
        assert faults(refused)["__all__"] == ["The service is busy. Try again in a moment."]

    def test_the_front_desk_looks_and_changes_nothing(
        self, enter: Callable[[User], Client], front_desk: User, owner: Member
    ) -> None:
        client = enter(front_desk)
        page = f"/admin/accounts/member/{owner.pk}/change/"
        assert client.get(page).status_code == 200
        assert client.post(page, self.body()).status_code == 403
        assert client.get("/admin/accounts/member/add/").status_code == 403


class TestPrivilegeHoldAdmin:
    def body(self, member: Member, **change: Any) -> dict[str, Any]:
        return {
            "member": member.pk, "scope": "booking", "reason": "Left the court unlocked",
            "starts_at_0": "2026-06-01", "starts_at_1": "08:00", "until_0": "2026-06-08", "until_1": "08:00",
        } | change  # fmt: skip

    def test_sets_one_as_staff_in_the_clubs_time(
        self, membership_staff: Client, owner: Member, now: datetime
    ) -> None:
        added = membership_staff.post("/admin/accounts/privilegehold/add/", self.body(owner))
        assert added.status_code == 302
        hold = PrivilegeHold.objects.get()
        assert (hold.source, hold.starts_at, hold.until) == ("manual", now, now + timedelta(days=7))

    def test_refuses_one_that_ends_before_it_begins(self, membership_staff: Client, owner: Member) -> None:
        body = self.body(owner, until_0="2026-06-01", until_1="08:00")
        refused = membership_staff.post("/admin/accounts/privilegehold/add/", body)
        assert faults(refused)["until"] == ["This is not after the start. Choose a later time."]

    def test_lifts_the_chosen_ones_once(self, membership_staff: Client, owner: Member) -> None:
        membership_staff.post("/admin/accounts/privilegehold/add/", self.body(owner))
        hold = PrivilegeHold.objects.get()
        assert "1 hold was lifted." in act(membership_staff, "privilegehold", "lift", [hold]).content.decode()
        assert (
            "0 holds were lifted." in act(membership_staff, "privilegehold", "lift", [hold]).content.decode()
        )
        page = f"/admin/accounts/privilegehold/{hold.pk}/change/"
        assert membership_staff.get(page).status_code == 200
        assert LogEntry.objects.get_for_object(hold).count() == 2


class TestUserAdmin:
    def test_a_superuser_makes_staff_who_can_enter(
        self, boss: Client, make_staff: Callable[[str], User]
    ) -> None:
        make_staff("Front Desk")
        group = Group.objects.get(name="Front Desk")
        assert boss.get("/admin/accounts/user/add/").status_code == 200
        body = {
            "username": "Desk.One", "display_name": "Test Desk", "email": "Desk@Example.com", "mobile": "",
            "groups": [group.pk], "password1": NEW_PASSWORD, "password2": NEW_PASSWORD,
        }  # fmt: skip
        assert boss.post("/admin/accounts/user/add/", body).status_code == 302
        made = User.objects.get(username="desk.one")
        assert (made.is_staff, made.email) == (True, "desk@example.com")
        assert made.groups.get() == group
        client = Client()
        assert client.login(username="DESK.ONE", password=NEW_PASSWORD)
        assert client.get("/admin/accounts/member/").status_code == 200

    def test_the_page_shows_no_hash(self, boss: Client, user: User) -> None:
        page = boss.get(f"/admin/accounts/user/{user.pk}/change/")
        assert page.status_code == 200
        assert user.password not in page.content.decode()

    def test_only_superusers_change_staff_or_give_rights(
        self, enter: Callable[[User], Client], make_staff: Callable[[str], User], user: User
    ) -> None:
        ops, other = make_staff("Ops"), make_staff("Auditor")
        client = enter(ops)
        assert client.get("/admin/accounts/user/add/").status_code == 403
        for staff in (ops, other):
            page = f"/admin/accounts/user/{staff.pk}/"
            assert client.post(f"{page}change/", {"is_superuser": "on"}).status_code == 403
            assert client.get(f"{page}password/").status_code == 403
        body = {"display_name": "X", "email": "x@example.com", "is_superuser": "on", "is_staff": "on"}
        client.post(f"/admin/accounts/user/{user.pk}/change/", body)
        user.refresh_from_db()
        assert (user.is_superuser, user.is_staff) == (False, False)

    def test_a_members_addresses_are_changed_on_the_members_page(self, boss: Client, user: User) -> None:
        email = user.email
        boss.post(f"/admin/accounts/user/{user.pk}/change/", {"email": "x@example.com", "display_name": "X"})
        user.refresh_from_db()
        assert user.email == email

    def test_who_gave_which_group_is_in_the_audit_log(
        self, boss: Client, make_staff: Callable[[str], User]
    ) -> None:
        staff = make_staff("Auditor")
        group = Group.objects.get(name="Ops")
        body = {
            "display_name": staff.display_name,
            "email": staff.email,
            "is_staff": "on",
            "groups": [group.pk],
        }
        assert boss.post(f"/admin/accounts/user/{staff.pk}/change/", body).status_code == 302
        changes = [entry.changes for entry in LogEntry.objects.get_for_object(staff)]
        assert any("groups" in change for change in changes)
        assert not any("password" in change for change in changes)

    def test_a_new_password_ends_every_session(
        self, boss: Client, user: User, trusted: Device, now: datetime
    ) -> None:
        open_session(user=user, device=trusted, now=now)
        page = f"/admin/accounts/user/{user.pk}/password/"
        body = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
        assert boss.post(page, body).status_code == 302
        user.refresh_from_db()
        assert check_password(NEW_PASSWORD, user.password)
        assert user.token_version == 2
        assert not Session.objects.filter(ended_at=None).exists()
        off = {"password1": "", "password2": "", "usable_password": "false", "unset-password": "1"}
        assert boss.post(page, off).status_code == 302
        user.refresh_from_db()
        assert not user.has_usable_password()

    def test_closes_opens_and_signs_out_but_not_oneself_nor_staff(
        self, enter: Callable[[User], Client], make_staff: Callable[[str], User], user: User
    ) -> None:
        ops = make_staff("Ops")
        client = enter(ops)
        done = act(client, "user", "deactivate", [user, ops, make_staff("Auditor")]).content.decode()
        assert "1 account was closed." in done
        assert "Accounts of staff were left out." in done
        user.refresh_from_db()
        assert (user.is_active, user.token_version) == (False, 2)
        assert "1 account was opened again." in act(client, "user", "reactivate", [user]).content.decode()
        assert "1 person was signed out." in act(client, "user", "sign_out", [user]).content.decode()
        user.refresh_from_db()
        assert (user.is_active, user.token_version) == (True, 3)

    def test_is_never_deleted(self, boss: Client, user: User) -> None:
        assert boss.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403


class TestMessageTemplateAdmin:
    BODY = {"message": "password_changed:email", "subject": "Changed at $club", "body": "At $at."}

    def test_begins_with_the_declared_words_and_names_the_fields(self, membership_staff: Client) -> None:
        page = membership_staff.get("/admin/accounts/messagetemplate/add/?message=password_changed:email")
        shown = page.content.decode()
        assert page.status_code == 200
        assert "Your password at $club was changed" in shown
        assert "$at" in shown
        assert membership_staff.get("/admin/accounts/messagetemplate/add/?message=x").status_code == 200

    def test_keeps_the_words_of_staff(self, membership_staff: Client) -> None:
        assert membership_staff.post("/admin/accounts/messagetemplate/add/", self.BODY).status_code == 302
        row = MessageTemplate.objects.get()
        assert (row.kind, row.channel, row.body) == ("password_changed", "email", "At $at.")
        page = f"/admin/accounts/messagetemplate/{row.pk}/change/"
        assert "$at, $club" in membership_staff.get(page).content.decode()
        changed = membership_staff.post(page, {"subject": "New", "body": "$at!"})
        assert changed.status_code == 302
        row.refresh_from_db()
        assert (row.kind, row.subject, row.body) == ("password_changed", "New", "$at!")

    def test_refuses_an_unknown_field_with_the_list_of_fields(self, membership_staff: Client) -> None:
        body = self.BODY | {"body": "Dear $name"}
        refused = membership_staff.post("/admin/accounts/messagetemplate/add/", body)
        assert faults(refused)["body"] == ["There is no field $name. Use these: $at, $club."]
        assert not MessageTemplate.objects.exists()

    def test_goes_back_to_the_declared_words(self, membership_staff: Client) -> None:
        membership_staff.post("/admin/accounts/messagetemplate/add/", self.BODY)
        page = f"/admin/accounts/messagetemplate/{MessageTemplate.objects.get().pk}/delete/"
        assert membership_staff.post(page, {"post": "yes"}).status_code == 302
        assert not MessageTemplate.objects.exists()

    def test_previews_without_saving(self, membership_staff: Client) -> None:
        url = "/admin/accounts/messagetemplate/preview/"
        shown = membership_staff.post(url, self.BODY | {"body": "At $at <b>now</b>."}).content.decode()
        assert "At 4 May 2026, 07:30 &lt;b&gt;now&lt;/b&gt;." in shown
        assert not MessageTemplate.objects.exists()
        wrong = membership_staff.post(url, self.BODY | {"body": "$name"}).content.decode()
        assert "There is no field $name." in wrong
        for message in ("", "nonsense", "password_changed:sms", "password_changed:pigeon"):
            unknown = membership_staff.post(url, self.BODY | {"message": message}).content.decode()
            assert "Choose a message first." in unknown

    def test_previews_the_row_whose_message_cannot_be_chosen_again(self, membership_staff: Client) -> None:
        membership_staff.post("/admin/accounts/messagetemplate/add/", self.BODY)
        row = MessageTemplate.objects.get()
        url = "/admin/accounts/messagetemplate/preview/"
        shown = membership_staff.post(
            url, {"row": row.pk, "subject": "S", "body": "At $at."}
        ).content.decode()
        assert "At 4 May 2026, 07:30." in shown
        for pk in ("0", "x", "9" * 30):
            assert "Choose a message" in membership_staff.post(url, {"row": pk}).content.decode()

    def test_preview_is_for_those_who_edit(
        self, enter: Callable[[User], Client], make_staff: Callable[[str], User], membership_staff: Client
    ) -> None:
        url = "/admin/accounts/messagetemplate/preview/"
        assert membership_staff.get(url).status_code == 405
        assert enter(make_staff("Auditor")).post(url, self.BODY).status_code == 403

    def test_a_text_whose_kind_is_gone_can_still_be_looked_at(self, boss: Client) -> None:
        row = MessageTemplate.objects.create(kind="gone", channel="email", body="x")
        assert boss.get(f"/admin/accounts/messagetemplate/{row.pk}/change/").status_code == 200


class TestReadOnlyPages:
    def test_notifications_are_looked_at_and_never_changed(
        self, enter: Callable[[User], Client], make_staff: Callable[[str], User], user: User, now: datetime
    ) -> None:
        one_time_passwords.issue_challenge(user=user, purpose=one_time_passwords.Purpose.DEVICE, now=now)
        row = Notification.objects.get()
        client = enter(make_staff("Ops"))
        page = client.get(f"/admin/accounts/notification/{row.pk}/change/")
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert client.get("/admin/accounts/notification/add/").status_code == 403

    def test_sessions_and_devices_are_ended_by_ops_alone(
        self,
        enter: Callable[[User], Client],
        make_staff: Callable[[str], User],
        user: User,
        trusted: Device,
        now: datetime,
    ) -> None:
        open_session(user=user, device=trusted, now=now)
        session = Session.objects.get()
        auditor, ops = enter(make_staff("Auditor")), enter(make_staff("Ops"))
        act(auditor, "session", "revoke", [session])
        session.refresh_from_db()
        assert session.ended_at is None
        assert "1 session was ended." in act(ops, "session", "revoke", [session]).content.decode()
        assert "0 sessions were ended." in act(ops, "session", "revoke", [session]).content.decode()
        assert "1 device was forgotten." in act(ops, "device", "revoke", [trusted]).content.decode()
        assert "0 devices were forgotten." in act(ops, "device", "revoke", [trusted]).content.decode()

    def test_no_token_stands_on_a_page(self, boss: Client, trusted: Device) -> None:
        Device.objects.update(push_token="push-secret")
        page = boss.get(f"/admin/accounts/device/{trusted.pk}/change/").content.decode()
        assert "push-secret" not in page
        assert trusted.token_hash not in page
