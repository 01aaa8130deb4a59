"""A draft is made, edited and published; what is published is never changed, and fits its spaces."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError

from bcc.core.actors import Actor
from bcc.core.errors import NotFoundError
from facilities import services
from facilities.models import (
    Facility,
    FacilitySpace,
    OpeningPeriod,
    OpeningSpan,
    PolicyVersion,
    PublishedVersionError,
    ReservationPolicy,
    Rulebook,
    Space,
)
from facilities.policies.terms import Terms
from facilities.selectors.policies import version_in_force
from tests.factories import make_facility, make_rooms, make_space, make_version

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "Test Facilities")
TODAY = date(2026, 6, 1)


@pytest.fixture
def policy(court: Facility) -> ReservationPolicy:
    """The court's own, with version 1 in force."""
    return court.policies.get()


@pytest.fixture
def draft(policy: ReservationPolicy) -> PolicyVersion:
    return services.new_policy_version(policy=policy)


def publish(version: PolicyVersion, now: datetime, **more: Any) -> PolicyVersion:
    return services.publish_policy_version(version=version, by=STAFF, now=now, **more)


class TestTerms:
    def test_are_those_of_the_version_field_by_field(self, draft: PolicyVersion) -> None:
        assert {field.name for field in fields(Terms)} == set(services.TERMS)
        assert all(getattr(draft.terms, name) == getattr(draft, name) for name in services.TERMS)

    def test_have_the_same_defaults_in_the_table_and_as_values(self, draft: PolicyVersion) -> None:
        policy = ReservationPolicy.objects.create(name="Untouched", kind="hall")

        first = services.new_policy_version(policy=policy)
        first.refresh_from_db()

        assert first.terms == Terms()


class TestNewPolicyVersion:
    def test_copies_the_latest(self, policy: ReservationPolicy) -> None:
        draft = services.new_policy_version(policy=policy)

        assert (draft.number, draft.is_published, str(draft)) == (2, False, "Court One policy v2")
        assert draft.terms == policy.versions.get(number=1).terms
        assert draft.max_slots == 3

    def test_of_a_policy_without_versions_is_the_first(self) -> None:
        policy = ReservationPolicy.objects.create(name="New", kind="court")

        assert services.new_policy_version(policy=policy).number == 1

    def test_refuses_a_second_draft(self, policy: ReservationPolicy, draft: PolicyVersion) -> None:
        with pytest.raises(services.DraftExistsError) as refused:
            services.new_policy_version(policy=policy)

        assert refused.value.code == "draft_exists"
        assert policy.versions.count() == 2


class TestEditDraft:
    def test_sets_what_is_named_and_leaves_the_rest(self, draft: PolicyVersion) -> None:
        services.edit_draft(version=draft, changes={"max_slots": 4, "release_time": time(8)})

        draft.refresh_from_db()
        assert (draft.max_slots, draft.release_time, draft.slot_minutes) == (4, time(8), 60)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"max_slots": 1, "min_slots": 2}, "max_slots"),
            ({"party_min": 5, "party_max": 4}, "party_max"),
            ({"guests_max": 4, "party_max": 4}, "guests_max"),
            ({"late_cancel": "charge"}, "late_cancel_charge"),
            ({"late_cancel": "strike", "late_cancel_charge": Decimal(5)}, "late_cancel_charge"),
            ({"late_cancel": "fine"}, "late_cancel"),
            ({"slot_minutes": None}, "slot_minutes"),
            ({"late_cancel": "charge", "late_cancel_charge": None}, "late_cancel_charge"),
        ],
        ids=["slots", "party", "guests", "charge", "no charge", "choice", "empty", "empty charge"],
    )
    def test_names_the_field_that_is_wrong(
        self, draft: PolicyVersion, change: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ValidationError) as refused:
            services.edit_draft(version=draft, changes=change)

        assert set(refused.value.message_dict) == {field}
        draft.refresh_from_db()
        assert draft.terms == replace(draft.terms, min_slots=1, max_slots=3, late_cancel="deny")

    def test_knows_no_field_but_terms(self, draft: PolicyVersion) -> None:
        with pytest.raises(KeyError, match="published_at"):
            services.edit_draft(version=draft, changes={"published_at": None, "max_slots": 2})

    def test_refuses_a_published_version(self, policy: ReservationPolicy) -> None:
        with pytest.raises(PublishedVersionError):
            services.edit_draft(version=policy.versions.get(), changes={"max_slots": 9})

        assert policy.versions.get().max_slots == 3

    def test_refuses_one_that_was_discarded_meanwhile(self, draft: PolicyVersion) -> None:
        services.discard_draft(version=PolicyVersion.objects.get(pk=draft.pk))

        with pytest.raises(NotFoundError):
            services.edit_draft(version=draft, changes={"max_slots": 9})

    def test_refuses_a_change_of_terms_that_were_not_seen(self, draft: PolicyVersion) -> None:
        seen = services.mark_of(draft.terms)
        services.edit_draft(version=draft, changes={"max_slots": 4}, seen=seen)

        with pytest.raises(services.StaleDraftError):
            services.edit_draft(version=draft, changes={"max_slots": 5}, seen=seen)

        draft.refresh_from_db()
        assert draft.max_slots == 4


class TestPublishPolicyVersion:
    def test_puts_it_in_force_and_says_who_did(
        self, court: Facility, draft: PolicyVersion, now: datetime
    ) -> None:
        services.edit_draft(version=draft, changes={"max_slots": 2})
        before = version_in_force(court, category_id=None, on=TODAY)

        published = publish(draft, now)

        in_force = version_in_force(court, category_id=None, on=TODAY)
        assert (before and before.number, in_force and in_force.number) == (1, 2)
        assert (published.published_at, published.published_by) == (now, "Test Facilities")
        assert in_force is not None
        assert in_force.max_slots == 2
        changes = LogEntry.objects.get_for_object(published).filter(action=LogEntry.Action.UPDATE)
        assert any("published_at" in entry.changes for entry in changes)

    def test_keeps_a_long_name_of_who_did_within_its_column(
        self, draft: PolicyVersion, now: datetime
    ) -> None:
        by = Actor("staff", "x" * 200)

        published = services.publish_policy_version(version=draft, by=by, now=now)

        assert published.published_by == "x" * 150

    def test_refuses_what_is_in_force_already(self, draft: PolicyVersion, now: datetime) -> None:
        publish(draft, now)

        with pytest.raises(PublishedVersionError):
            publish(draft, now)

    def test_refuses_terms_that_were_not_seen(self, draft: PolicyVersion, now: datetime) -> None:
        seen = services.mark_of(draft.terms)
        services.edit_draft(version=draft, changes={"max_slots": 2})

        with pytest.raises(services.StaleDraftError):
            publish(draft, now, seen=seen)

        draft.refresh_from_db()
        assert not draft.is_published
        publish(draft, now, seen=services.mark_of(draft.terms))

    def test_refuses_slots_that_do_not_fall_on_cells(self, draft: PolicyVersion, now: datetime) -> None:
        services.edit_draft(version=draft, changes={"slot_minutes": 50, "buffer_after_minutes": 10})
        number = Rulebook.current_number()

        with pytest.raises(services.MisfitError) as refused:
            publish(draft, now)

        assert set(refused.value.errors) == {"slot_minutes", "buffer_after_minutes"}
        assert refused.value.code == "off_the_grid"
        draft.refresh_from_db()
        assert not draft.is_published
        assert Rulebook.current_number() == number

    def test_a_policy_of_a_kind_must_fit_each_facility_of_it(self, court: Facility, now: datetime) -> None:
        make_facility("Court Two", grid=30)
        policy = ReservationPolicy.objects.create(name="Courts", kind="court")
        draft = services.new_policy_version(policy=policy)
        services.edit_draft(version=draft, changes={"slot_minutes": 45})

        with pytest.raises(services.MisfitError) as refused:
            publish(draft, now)

        ((_code, detail),) = refused.value.errors["slot_minutes"]
        assert "Court Two" in str(detail)
        Facility.objects.filter(name="Court Two").update(state="retired")
        assert publish(draft, now).is_published

    def test_says_the_same_of_two_facilities_once(self, now: datetime) -> None:
        shared = make_space("Shared")
        for name in ("One", "Two"):
            make_facility(name, spaces=[shared])
        policy = ReservationPolicy.objects.create(name="Courts", kind="court")
        draft = services.new_policy_version(policy=policy)
        services.edit_draft(version=draft, changes={"slot_minutes": 50})

        with pytest.raises(services.MisfitError) as refused:
            publish(draft, now)

        assert len(refused.value.errors["slot_minutes"]) == 1


class TestDiscardDraft:
    def test_makes_room_for_another(self, policy: ReservationPolicy, draft: PolicyVersion) -> None:
        services.discard_draft(version=draft)

        assert services.new_policy_version(policy=policy).number == 2

    def test_refuses_what_is_in_force(self, policy: ReservationPolicy) -> None:
        with pytest.raises(PublishedVersionError):
            services.discard_draft(version=policy.versions.get())


class TestRequireFacilityFits:
    def test_lets_what_fits(self, court: Facility) -> None:
        services.require_facility_fits(court, on=TODAY)

    def test_refuses_hours_that_begin_between_cells(self, court: Facility) -> None:
        OpeningSpan.objects.filter(period__facility=court, weekday=0).update(opens=time(6, 10))

        with pytest.raises(services.MisfitError) as refused:
            services.require_facility_fits(court, on=TODAY)

        assert set(refused.value.errors) == {"opens"}

    def test_looks_at_the_policies_in_force_and_not_at_drafts(
        self, court: Facility, draft: PolicyVersion, now: datetime
    ) -> None:
        services.edit_draft(version=draft, changes={"slot_minutes": 30})
        Space.objects.update(grid=60)

        services.require_facility_fits(court, on=TODAY)

        Space.objects.update(grid=15)
        publish(draft, now)
        Space.objects.update(grid=60)
        with pytest.raises(services.MisfitError):
            services.require_facility_fits(court, on=TODAY)

    def test_looks_at_those_of_its_kind_too(self, court: Facility) -> None:
        courts = ReservationPolicy.objects.create(name="Courts", kind="court")
        make_version(courts, slot_minutes=50)

        with pytest.raises(services.MisfitError) as refused:
            services.require_facility_fits(court, on=TODAY)

        assert set(refused.value.errors) == {"slot_minutes"}

    def test_refuses_nights_beside_hours(self, court: Facility) -> None:
        FacilitySpace.objects.create(facility=court, space=make_space("Room", grid=0))

        with pytest.raises(services.MisfitError) as refused:
            services.require_facility_fits(court, on=TODAY)

        assert refused.value.errors["spaces"][0][0] == "mixed_grids"

    def test_rooms_need_no_slots(self) -> None:
        services.require_facility_fits(make_rooms(), on=TODAY)

    def test_counts_the_cells_by_the_zone_of_the_club(
        self, court: Facility, settings: Any, travel: time_machine.Traveller
    ) -> None:
        Space.objects.update(grid=60)
        services.require_facility_fits(court, on=TODAY)
        settings.TIME_ZONE = "Asia/Kolkata"  # half an hour off: 06:00 there is no edge of an hourly cell

        with pytest.raises(services.MisfitError):
            services.require_facility_fits(court, on=TODAY)

    def test_a_facility_without_policy_fits(self) -> None:
        facility = Facility.objects.create(code="lawn", name="Lawn", kind="hall")
        FacilitySpace.objects.create(facility=facility, space=make_space("Lawn"))
        period = OpeningPeriod.objects.create(facility=facility, name="Year", starts_on=TODAY)
        OpeningSpan.objects.create(period=period, weekday=0, opens=time(6, 7), closes=time(8))

        services.require_facility_fits(facility, on=TODAY)
