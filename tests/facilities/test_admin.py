"""The back office of content and rules, as staff of each group meet it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client

from accounts.models import Member, MembershipCategory, User
from bcc.core.errors import BusyError
from facilities.models import (
    Announcement,
    Contact,
    Event,
    Facility,
    PrimeTime,
    Rate,
    Rulebook,
    StrikeRule,
)
from facilities.services import save_content
from tests.conftest import at_club
from tests.facilities.backoffice import act, faults, page, titles
from tests.factories import CategoryFactory, make_quota

pytestmark = pytest.mark.django_db

CONTENT = ["announcement", "clubrule", "contact", "event", "faq", "outlet", "promo"]
RULES = ["primetime", "quotarule", "rate", "strikerule"]
EDITS = {"Facilities": {*CONTENT, *RULES}, "Membership": {*CONTENT}, "Moderator": {*CONTENT}}
LOOKS = {"Front Desk", "Ops", "Auditor"}


def content_body(**change: Any) -> dict[str, Any]:
    return {
        "title": "Lights are out", "body": "Bring a torch.", "audience": "members", "state": "published",
        "publish_from_0": "", "publish_from_1": "", "publish_until_0": "", "publish_until_1": "",
        "position": "100",
    } | change  # fmt: skip


# What a form of each kind asks for beside what all have.
OWN: dict[str, dict[str, str]] = {
    "event": {
        "starts_at_0": "2026-06-05", "starts_at_1": "09:00", "ends_at_0": "2026-06-05", "ends_at_1": "12:00",
    },
    "contact": {"department": "Golf", "email": "golf@example.com"},
}  # fmt: skip


class TestWhoMay:
    @pytest.mark.parametrize("model", [*CONTENT, *RULES])
    def test_is_one_table(self, enter: Callable[[User], Client], each_staff: User, model: str) -> None:
        group = each_staff.groups.get().name
        client = enter(each_staff)
        edits = model in EDITS.get(group, set())
        looks = edits or group in LOOKS
        assert client.get(page(model)).status_code == (200 if looks else 403)
        assert client.get(page(model, "add/")).status_code == (200 if edits else 403)

    @pytest.mark.parametrize("model", [*CONTENT, *RULES])
    def test_needs_a_sign_in(self, client: Client, owner: Member, model: str) -> None:
        assert client.get(page(model)).status_code == 302
        assert owner.user is not None
        client.force_login(owner.user)
        assert client.get(page(model)).status_code == 302

    def test_who_looks_reads_a_row_and_changes_nothing(
        self, enter: Callable[[User], Client], front_desk: User, court: Facility
    ) -> None:
        rows = {
            "announcement": Announcement.objects.create(title="Read me", state="published"),
            "quotarule": make_quota(),
            "primetime": PrimeTime.objects.create(
                name="Evening", kind="court", weekday=0, starts="17:00", ends="21:00"
            ),
            "rate": Rate.objects.create(facility=court, amount="10"),
            "strikerule": StrikeRule.objects.create(name="Three"),
        }
        client = enter(front_desk)
        for model, row in rows.items():
            one = page(model, f"{row.pk}/change/")
            assert client.get(one).status_code == 200
            assert client.post(one, {}).status_code == 403
            assert client.post(page(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403


class TestContent:
    @pytest.mark.parametrize("model", CONTENT)
    def test_is_added_changed_and_deleted(self, editor: Client, model: str) -> None:
        body = content_body(**OWN.get(model, {}))
        before = Rulebook.current_number()

        added = editor.post(page(model, "add/"), body)
        assert added.status_code == 302, faults(added)
        row = editor.get(page(model)).context["cl"].result_list[0]
        changed = editor.post(page(model, f"{row.pk}/change/"), body | {"title": "Lights are on"})
        assert changed.status_code == 302, faults(changed)
        assert titles(editor.get(page(model))) == ["Lights are on"]
        assert LogEntry.objects.get_for_object(row).filter(actor__isnull=False).count() == 2
        assert editor.post(page(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 302
        assert titles(editor.get(page(model))) == []
        assert Rulebook.current_number() >= before + 3

    @pytest.mark.parametrize(("hops", "address"), [(0, "127.0.0.1"), (1, "192.0.2.1")])
    def test_leaves_the_address_that_our_proxy_saw_in_the_audit_log(
        self, editor: Client, settings: Any, hops: int, address: str
    ) -> None:
        settings.TRUSTED_PROXY_HOPS = hops
        claimed = {"X-Forwarded-For": "not an address, 203.0.113.5, 192.0.2.1"}

        added = editor.post(page("faq", "add/"), content_body(**OWN.get("faq", {})), headers=claimed)

        assert added.status_code == 302, faults(added)
        assert LogEntry.objects.latest("pk").remote_addr == address

    def test_is_in_the_app_as_soon_as_it_is_saved(
        self, editor: Client, client_of: Callable[..., Any], owner: Member
    ) -> None:
        editor.post(page("announcement", "add/"), content_body())

        read = client_of(owner).get("/api/v1/announcements").json()["results"]

        assert [one["title"] for one in read] == ["Lights are out"]

    def test_categories_are_saved_with_it(self, editor: Client, senior: MembershipCategory) -> None:
        body = content_body(audience="categories", categories=[senior.pk])

        assert editor.post(page("announcement", "add/"), body).status_code == 302

        row = Announcement.objects.get()
        assert list(row.categories.all()) == [senior]
        everyone = content_body(audience="public")
        assert editor.post(page("announcement", f"{row.pk}/change/"), everyone).status_code == 302
        assert not row.categories.exists()

    @pytest.mark.parametrize(
        ("change", "field", "told"),
        [
            ({"title": ""}, "title", "This field is required."),
            ({"audience": "categories"}, "categories", "Name at least one category"),
            (
                {"publish_from_0": "2026-06-05", "publish_from_1": "09:00",
                 "publish_until_0": "2026-06-05", "publish_until_1": "09:00"},
                "publish_until", "It must be later than the start.",
            ),
            (
                {"publish_from_0": "2026-02-30", "publish_from_1": "09:00"},
                "publish_from", "Enter a valid date.",
            ),
            ({"state": "gone"}, "state", "Select a valid choice."),
            ({"position": "-1"}, "position", "greater than or equal to 0"),
            ({"ends_at_1": "08:00"}, "ends_at", "It must be later than the start."),
        ],
        ids=["title", "audience", "schedule", "date", "state", "position", "event"],
    )  # fmt: skip
    def test_says_at_its_field_what_is_wrong(
        self, editor: Client, change: dict[str, str], field: str, told: str
    ) -> None:
        refused = editor.post(page("event", "add/"), content_body(**OWN["event"]) | change)

        assert told in str(faults(refused)[field])
        assert not Event.objects.exists()

    def test_tells_of_categories_that_the_audience_does_not_use(
        self, editor: Client, senior: MembershipCategory
    ) -> None:
        refused = editor.post(page("announcement", "add/"), content_body(categories=[senior.pk]))

        assert "Leave this empty" in str(faults(refused)["categories"])

    def test_keeps_what_somebody_else_wrote_into_another_field(
        self, editor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = Contact.objects.create(title="Starter", department="Golf", phone="1", state="published")
        real = Contact.objects.filter(pk=row.pk)

        def save(*, instance: Contact, values: dict[str, Any]) -> Contact:
            real.update(phone="2")  # between the form's reading and its saving
            return save_content(instance=instance, values=values)

        monkeypatch.setattr("facilities.admin.content.services.save_content", save)
        body = content_body(title="Starter hut", body="", department="Golf", phone="1")
        assert editor.post(page("contact", f"{row.pk}/change/"), body).status_code == 302
        row.refresh_from_db()
        assert (row.title, row.phone) == ("Starter hut", "2")

    def test_a_busy_database_is_told_on_the_form_as_it_was_filled_in(
        self, editor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**_: Any) -> None:
            raise BusyError

        monkeypatch.setattr("facilities.admin.content.services.save_content", busy)
        refused = editor.post(page("announcement", "add/"), content_body())

        assert faults(refused)["__all__"] == ["The service is busy. Try again in a moment."]
        assert b"Lights are out" in refused.content
        assert not Announcement.objects.exists()


class TestListOfContent:
    @pytest.fixture
    def some(self, senior: MembershipCategory, now: datetime) -> None:
        hour = timedelta(hours=1)
        rows: list[tuple[str, dict[str, Any]]] = [
            ("Now", {}),
            ("Later", {"publish_from": now + hour}),
            ("Over", {"publish_until": now}),
            ("Ending", {"publish_until": now + hour}),
            ("Draft", {"state": "draft"}),
            ("Retired", {"state": "retired"}),
            ("Public", {"audience": "public"}),
            ("Seniors", {"audience": "categories"}),
        ]
        for title, values in rows:
            row = Announcement.objects.create(title=title, **{"state": "published", **values})
            if title == "Seniors":
                row.categories.add(senior)

    @pytest.mark.parametrize(
        ("chosen", "shown"),
        [
            ("now", {"Now", "Ending", "Public", "Seniors"}),
            ("later", {"Later"}),
            ("over", {"Over"}),
            ("draft", {"Draft"}),
            ("retired", {"Retired"}),
            ("nonsense", {"Now", "Later", "Over", "Ending", "Draft", "Retired", "Public", "Seniors"}),
        ],
    )
    def test_filters_by_what_the_app_makes_of_it(
        self, editor: Client, some: None, chosen: str, shown: set[str]
    ) -> None:
        assert set(titles(editor.get(page("announcement"), {"shown": chosen}))) == shown

    def test_shows_what_somebody_sees_now(
        self, editor: Client, some: None, senior: MembershipCategory
    ) -> None:
        regular = CategoryFactory.create()

        def seen_by(whom: object) -> set[str]:
            return set(titles(editor.get(page("announcement"), {"seen_by": str(whom)})))

        assert seen_by("anybody") == {"Public"}
        assert seen_by(regular.pk) == {"Now", "Ending", "Public"}
        assert seen_by(senior.pk) == {"Now", "Ending", "Public", "Seniors"}
        assert seen_by("1 OR 1=1") == set()

    def test_says_in_words_whether_it_is_shown_and_to_whom(self, editor: Client, some: None) -> None:
        text = editor.get(page("announcement")).content.decode()

        for words in (
            ">shown<", "from 1 Jun 2026, 09:00 on", "over since 1 Jun 2026, 08:00", "until 1 Jun 2026, 09:00",
            ">draft<", ">retired<", ">everyone<", ">all members<", ">Senior<",
        ):  # fmt: skip
            assert words in text, words

    def test_is_searched_and_ordered_as_the_app_orders(self, editor: Client, some: None) -> None:
        Announcement.objects.create(title="Pinned", state="published", is_pinned=True)

        assert titles(editor.get(page("announcement"), {"q": "end"})) == ["Ending"]
        assert titles(editor.get(page("announcement")))[0] == "Pinned"

    def test_events_are_found_by_their_time(self, editor: Client, now: datetime) -> None:
        for title, starts_at in (("Past", at_club(1, 6)), ("Coming", at_club(2, 6))):
            Event.objects.create(title=title, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))

        assert titles(editor.get(page("event"), {"when": "upcoming"})) == ["Coming"]
        assert titles(editor.get(page("event"), {"when": "past"})) == ["Past"]
        assert titles(editor.get(page("event"), {"when": "x"})) == ["Coming", "Past"]

    def test_publishes_and_retires_the_chosen(self, editor: Client) -> None:
        rows = [Announcement.objects.create(title=title) for title in ("One", "Two")]

        assert "2 were published." in act(editor, "announcement", "publish", rows)
        assert "1 was retired." in act(editor, "announcement", "retire", rows[:1])
        assert "0 were retired." in act(editor, "announcement", "retire", rows[:1])
        assert dict(Announcement.objects.values_list("title", "state")) == {
            "One": "retired",
            "Two": "published",
        }

    def test_publishes_none_if_one_is_refused_and_names_it(self, editor: Client) -> None:
        rows = [
            Announcement.objects.create(title="Right"),
            Announcement.objects.create(title="Nobody's", audience="categories"),
        ]

        text = act(editor, "announcement", "publish", rows)

        assert "“Nobody&#x27;s” has to be corrected first: Name at least one category" in text
        assert not Announcement.objects.exclude(state="draft").exists()

    def test_who_only_looks_is_offered_no_action(
        self, enter: Callable[[User], Client], front_desk: User
    ) -> None:
        row = Announcement.objects.create(title="Mine")

        act(enter(front_desk), "announcement", "publish", [row])

        row.refresh_from_db()
        assert row.state == "draft"
