"""The back office of policies, as staff of each group meet it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Member, User
from bcc.core.errors import BusyError
from facilities import services
from facilities.models import Facility, PolicyVersion, ReservationPolicy
from facilities.policies.differences import Change, compare
from facilities.policies.plain_language import Sentence
from reservations.admin.policy_forms import FIELDSETS, MinutesField
from tests.factories import make_facility, make_rooms
from tests.reservations.desk import count_queries, enter, errors_of, locked_database, text_of

LIST = "/admin/facilities/reservationpolicy/"
MINUTES = [name for name in services.TERMS if name.endswith("_minutes")]


@pytest.fixture
def staff(make_staff: Callable[[str], User], travel: object) -> Client:
    return enter(make_staff("Facilities"))


@pytest.fixture
def policy(court: Facility) -> ReservationPolicy:
    return ReservationPolicy.objects.get(facility=court)


@pytest.fixture
def draft(policy: ReservationPolicy) -> PolicyVersion:
    return services.new_policy_version(policy=policy)


def page_of(policy: ReservationPolicy, page: str = "") -> str:
    return f"{LIST}{policy.pk}/{page or 'change/'}"


def body_of(version: PolicyVersion, **changes: Any) -> dict[str, Any]:
    """What the browser would send of a draft's form."""
    body: dict[str, Any] = {"seen": services.mark_of(version.terms)}
    for name in services.TERMS:
        value = changes.pop(name, getattr(version, name))
        if name in MINUTES:
            body[f"{name}_0"], body[f"{name}_1"] = value if isinstance(value, tuple) else (value, "1")
        elif value is not False:
            body[name] = value
    assert not changes.keys() - {"seen"}
    return {name: "" if value is None else value for name, value in {**body, **changes}.items()}


class TestWhoMay:
    def test_read_policies_is_one_table(self, each_staff: User, policy: ReservationPolicy) -> None:
        allowed = each_staff.groups.get().name in {"Front Desk", "Facilities", "Ops", "Auditor"}
        client = enter(each_staff)
        for page in (LIST, page_of(policy), page_of(policy, "versions/")):
            assert client.get(page).status_code == (200 if allowed else 403)

    def test_change_them_is_one_group(
        self, each_staff: User, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        allowed = each_staff.groups.get().name == "Facilities"
        client = enter(each_staff)
        for page in ("draft/", "draft/publish/", "draft/discard/"):
            assert client.get(page_of(policy, page)).status_code == (200 if allowed else 403)
            if not allowed:
                assert client.post(page_of(policy, page), body_of(draft)).status_code == 403
        assert client.post(page_of(policy, "draft/new/")).status_code == (302 if allowed else 403)
        draft.refresh_from_db()
        assert not draft.is_published

    def test_nobody_without_signing_in(self, policy: ReservationPolicy, owner: Member) -> None:
        for page in ("versions/", "draft/", "draft/publish/", "draft/discard/", "draft/new/"):
            assert Client().get(page_of(policy, page)).status_code == 302
        assert owner.user is not None
        assert enter(owner.user).get(LIST).status_code == 302

    def test_who_only_reads_is_offered_no_button(
        self, front_desk: User, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        shown = text_of(enter(front_desk).get(page_of(policy)))
        assert "Version 1" in shown
        assert "Edit the draft" not in shown
        assert "draft/discard" not in shown
        draft.delete()
        assert "New version" not in text_of(enter(front_desk).get(page_of(policy)))


class TestList:
    def test_says_what_each_is_for_and_what_is_in_force(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        ReservationPolicy.objects.create(name="Empty", kind="tee")
        shown = text_of(staff.get(LIST))
        assert "Court One" in shown
        assert "v1 since 1 Jan 2020" in shown
        assert '<span class="state draft">v2</span>' in shown
        assert "none: nobody can book" in shown

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, policy: ReservationPolicy
    ) -> None:
        staff.get(LIST)  # content types and permissions are asked once
        few = count_queries(lambda: staff.get(LIST))
        for number in range(5):
            make_facility(f"Court {number}")
        assert count_queries(lambda: staff.get(LIST)) == few
        assert few <= 12


class TestReading:
    def test_shows_the_draft_beside_what_is_in_force(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        services.edit_draft(version=draft, changes={"open_days_ahead": 14})
        shown = text_of(staff.get(page_of(policy)))
        assert "You may book up to 7 days ahead; a day opens at 07:00." in shown
        assert "You may book up to 14 days ahead; a day opens at 07:00." in shown
        assert "See the difference and publish" in shown

    def test_says_that_nobody_can_book_without_a_version(self, staff: Client, db: None) -> None:
        empty = ReservationPolicy.objects.create(name="Empty", kind="tee")
        assert "No version is in force" in text_of(staff.get(page_of(empty)))
        assert "There is no version yet" in text_of(staff.get(page_of(empty, "versions/")))

    def test_speaks_of_nights_where_nights_are_booked(self, staff: Client, db: None) -> None:
        rooms = ReservationPolicy.objects.get(facility=make_rooms())
        assert "A stay is from 1 to 14 nights." in text_of(staff.get(page_of(rooms)))

    def test_a_policy_that_is_gone_is_not_found(self, staff: Client, db: None) -> None:
        for page in ("versions/", "draft/", "draft/publish/", "draft/discard/"):
            assert staff.get(f"{LIST}999/{page}").status_code == 404


class TestBinding:
    def body(self, **values: Any) -> dict[str, Any]:
        bound = {"name": "New policy", "facility": "", "kind": "tee", "category": ""}
        return {**bound, "valid_from": "", "valid_until": "", **values}

    def test_makes_a_policy(self, staff: Client, db: None) -> None:
        assert staff.post(f"{LIST}add/", self.body()).status_code == 302
        assert ReservationPolicy.objects.get().kind == "tee"

    def test_refuses_a_rival_in_words(self, staff: Client, policy: ReservationPolicy) -> None:
        body = self.body(kind="", facility=policy.facility_id)
        refused = text_of(staff.post(f"{LIST}add/", body))
        assert "none of the two would win" in refused.replace("\n", " ")
        assert ReservationPolicy.objects.count() == 1

    def test_refuses_what_the_terms_in_force_do_not_fit(
        self, staff: Client, policy: ReservationPolicy
    ) -> None:
        make_facility("Coarse", grid=60, terms={"slot_minutes": 60})
        halves = make_facility("Halves", terms={"slot_minutes": 30})
        bound = ReservationPolicy.objects.get(facility=halves)
        body = self.body(name=bound.name, kind="court")
        refused = staff.post(page_of(bound), body)
        assert refused.status_code == 200
        assert "cells of 60 minutes" in text_of(refused)
        bound.refresh_from_db()
        assert bound.facility == halves


class TestDraft:
    def test_is_a_copy_that_staff_edit(self, staff: Client, policy: ReservationPolicy) -> None:
        made = staff.post(page_of(policy, "draft/new/"))
        assert made.headers["Location"] == page_of(policy, "draft/")
        draft = PolicyVersion.objects.drafts().get()
        assert staff.get(page_of(policy, "draft/")).status_code == 200
        body = body_of(draft, max_slots=2, cancellation_cutoff_minutes=(2, "60"), hold_minutes=("", "1"))
        saved = staff.post(page_of(policy, "draft/"), body, follow=True)
        draft.refresh_from_db()
        assert (draft.number, draft.max_slots, draft.cancellation_cutoff_minutes) == (2, 2, 120)
        assert draft.hold_minutes is None
        assert "up to 2 hours before the start" in text_of(saved)

    def test_is_made_with_a_press_not_by_a_link(self, staff: Client, policy: ReservationPolicy) -> None:
        assert staff.get(page_of(policy, "draft/new/")).status_code == 405
        assert not PolicyVersion.objects.drafts().exists()

    def test_there_is_one_at_most(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        again = staff.post(page_of(policy, "draft/new/"), follow=True)
        assert "There is a draft of the next version already." in text_of(again)
        assert PolicyVersion.objects.drafts().count() == 1

    def test_says_on_the_form_what_does_not_go_together(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        body = body_of(draft, min_slots=3, max_slots=1, slot_minutes=("", "1"))
        errors = errors_of(staff.post(page_of(policy, "draft/"), body))
        assert errors["max_slots"] == ["It must not be fewer than the fewest slots. Correct one of the two."]
        assert errors["slot_minutes"] == ["This field is required."]
        draft.refresh_from_db()
        assert draft.max_slots == 3

    def test_bounds_what_would_be_beyond_any_calendar(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        body = body_of(draft, open_days_ahead=999_999, min_notice_minutes=(999_999, "1440"))
        assert errors_of(staff.post(page_of(policy, "draft/"), body)).keys() == {
            "open_days_ahead", "min_notice_minutes",
        }  # fmt: skip

    def test_saved_with_a_misfit_says_that_it_cannot_be_published(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        saved = staff.post(page_of(policy, "draft/"), body_of(draft, slot_minutes=(50, "1")), follow=True)
        assert "It cannot be published yet: Court One has cells of 15 minutes" in text_of(saved)
        draft.refresh_from_db()
        assert draft.slot_minutes == 50

    def test_is_not_saved_over_what_somebody_else_wrote(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        body = body_of(draft, max_slots=2)
        services.edit_draft(version=draft, changes={"party_max": 9})
        errors = errors_of(staff.post(page_of(policy, "draft/"), body))
        assert "The draft was changed in the meantime." in errors["__all__"][0]
        draft.refresh_from_db()
        assert (draft.max_slots, draft.party_max) == (3, 9)

    def test_once_published_cannot_be_edited(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        body = body_of(draft, max_slots=2)
        PolicyVersion.objects.drafts().update(published_at=draft.policy.versions.get(number=1).published_at)
        answer = staff.post(page_of(policy, "draft/"), body, follow=True)
        assert "There is no draft any more" in text_of(answer)
        draft.refresh_from_db()
        assert draft.max_slots == 3

    def test_is_discarded_after_a_question(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        assert "What was edited in it is lost." in text_of(staff.get(page_of(policy, "draft/discard/")))
        assert PolicyVersion.objects.drafts().exists()
        gone = staff.post(page_of(policy, "draft/discard/"), follow=True)
        assert "The draft is gone." in text_of(gone)
        assert not PolicyVersion.objects.drafts().exists()
        assert "There is no draft any more" in text_of(
            staff.get(page_of(policy, "draft/discard/"), follow=True)
        )

    @pytest.mark.parametrize("busy", ["by the service", "by the driver"])
    def test_a_busy_database_is_a_message_to_try_again(
        self,
        staff: Client,
        policy: ReservationPolicy,
        draft: PolicyVersion,
        monkeypatch: pytest.MonkeyPatch,
        busy: str,
    ) -> None:
        def refuse(**kwargs: Any) -> None:
            raise BusyError if busy == "by the service" else locked_database()

        monkeypatch.setattr(services, "edit_draft", refuse)
        errors = errors_of(staff.post(page_of(policy, "draft/"), body_of(draft)))
        assert "Try again in a moment." in errors["__all__"][0]

    def test_a_defect_stays_one(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**kwargs: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(services, "edit_draft", fail)
        with pytest.raises(ZeroDivisionError):
            staff.post(page_of(policy, "draft/"), body_of(draft))


class TestPublish:
    def test_shows_old_and_new_sentences_and_puts_it_in_force(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        services.edit_draft(
            version=draft, changes={"open_days_ahead": 14, "hold_minutes": 10, "check_in_from_minutes": 45}
        )
        draft.refresh_from_db()
        shown = text_of(staff.get(page_of(policy, "draft/publish/")))
        assert "<del>You may book up to 7 days ahead; a day opens at 07:00.</del>" in shown
        assert "<ins>You may book up to 14 days ahead; a day opens at 07:00.</ins>" in shown
        assert "<ins>The time that you pick is held for you for 10 minutes;" in shown
        assert "3 fields changed" in shown
        assert "Your account must be in good standing" not in shown

        answer = staff.post(
            page_of(policy, "draft/publish/"), {"seen": services.mark_of(draft.terms)}, follow=True
        )
        draft.refresh_from_db()
        assert "Version 2 is in force for bookings made from now on." in text_of(answer)
        assert draft.published_by == "Test Facilities"
        assert not PolicyVersion.objects.drafts().exists()

    def test_refuses_misfits_in_words(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        services.edit_draft(version=draft, changes={"slot_minutes": 50})
        draft.refresh_from_db()
        page = page_of(policy, "draft/publish/")
        assert "It cannot be published yet: Court One has cells" in text_of(staff.get(page))
        errors = errors_of(staff.post(page, {"seen": services.mark_of(draft.terms)}))
        assert "slots of 50 minutes do not end on them" in errors["__all__"][0]
        draft.refresh_from_db()
        assert not draft.is_published

    def test_refuses_terms_that_were_not_seen(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        seen = services.mark_of(draft.terms)
        services.edit_draft(version=draft, changes={"party_max": 9})
        errors = errors_of(staff.post(page_of(policy, "draft/publish/"), {"seen": seen}))
        assert "The draft was changed in the meantime." in errors["__all__"][0]
        assert staff.post(page_of(policy, "draft/publish/"), {}).status_code == 200
        draft.refresh_from_db()
        assert not draft.is_published

    def test_a_second_press_finds_it_published(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        body = {"seen": services.mark_of(draft.terms)}
        staff.post(page_of(policy, "draft/publish/"), body)
        again = staff.post(page_of(policy, "draft/publish/"), body, follow=True)
        assert "There is no draft any more" in text_of(again)

    def test_the_first_version_needs_nothing_to_be_compared_with(self, staff: Client, db: None) -> None:
        first = ReservationPolicy.objects.create(name="First", kind="tee")
        services.new_policy_version(policy=first)
        shown = text_of(staff.get(page_of(first, "draft/publish/")))
        assert "Nothing is in force yet." in shown
        assert "no facility yet" in shown


class TestVersions:
    def test_tells_what_each_changed_and_cannot_be_edited(
        self, staff: Client, policy: ReservationPolicy, draft: PolicyVersion
    ) -> None:
        services.edit_draft(version=draft, changes={"party_max": 6})
        draft.refresh_from_db()
        staff.post(page_of(policy, "draft/publish/"), {"seen": services.mark_of(draft.terms)})
        shown = text_of(staff.get(page_of(policy, "versions/")))
        assert shown.index("Version 2") < shown.index("Version 1")
        assert "<ins>A booking is for 1 to 6 people.</ins>" in shown
        assert "0 bookings were made under it." in shown
        assert "<form method=" not in shown.split('id="content-main"')[1]


class TestFields:
    def test_every_term_stands_once_in_the_form(self) -> None:
        shown = [
            name
            for _heading, group in FIELDSETS
            for line in group["fields"]
            for name in ((line,) if isinstance(line, str) else line)
        ]
        assert sorted(shown) == sorted(services.TERMS)

    @pytest.mark.parametrize(
        ("minutes", "number", "unit"),
        [(None, None, "1"), (0, 0, "1"), (45, 45, "1"), (90, 90, "1"), (120, 2, "60"), (2880, 2, "1440")],
    )
    def test_a_duration_is_shown_in_its_largest_unit_and_read_back(
        self, minutes: int | None, number: int | None, unit: str
    ) -> None:
        field = MinutesField(required=False)
        assert field.widget.decompress(minutes) == [number, unit]
        assert field.clean(["" if number is None else str(number), unit]) == minutes


class TestCompare:
    def test_pairs_what_stands_in_for_another_and_tells_what_is_new_or_gone(self) -> None:
        def said(*texts: str) -> list[Sentence]:
            return [Sentence("party", text) for text in texts]

        assert compare(said("a", "b"), said("a", "b")) == []
        assert compare(said("a", "b"), said("a", "c", "d")) == [
            Change("party", "b", "c"),
            Change("party", None, "d"),
        ]
        assert compare(said("a", "b"), said("b")) == [Change("party", "a", None)]

    def test_keeps_topics_apart(self) -> None:
        before = [Sentence("window", "a"), Sentence("party", "b")]
        after = [Sentence("window", "a"), Sentence("other", "b")]
        assert compare(before, after) == [Change("party", "b", None), Change("other", None, "b")]
