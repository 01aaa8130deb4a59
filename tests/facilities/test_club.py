"""Changes of content and of what describes a facility, as the API, the admin and the demo club make them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import MembershipCategory
from facilities import services
from facilities.models import Announcement, Event, Facility, Publishing
from tests.factories import CategoryFactory

pytestmark = pytest.mark.django_db


def made(**values: Any) -> Announcement:
    return services.save_content(instance=Announcement(), values={"title": "New", **values})


def refused(**values: Any) -> set[str]:
    with pytest.raises(ValidationError) as error:
        made(**values)
    assert not Announcement.objects.exists()
    return set(error.value.message_dict)


class TestSaveContent:
    def test_inserts_a_new_one_with_its_categories(self, senior: MembershipCategory) -> None:
        row = made(audience="categories", categories=[senior])

        assert list(Announcement.objects.get().categories.all()) == [senior]
        assert row.state == Publishing.DRAFT

    def test_writes_only_the_columns_that_are_named(self) -> None:
        row = made(body="Old")
        Announcement.objects.filter(pk=row.pk).update(position=7)

        services.save_content(instance=row, values={"body": "New"})

        fresh = Announcement.objects.get()
        assert (fresh.body, fresh.position) == ("New", 7)
        assert fresh.updated_at > fresh.created_at

    def test_of_nothing_changes_nothing(self) -> None:
        row = made()
        before = Announcement.objects.values().get()

        services.save_content(instance=row, values={})

        assert Announcement.objects.values().get() == before

    def test_leaves_the_categories_that_are_not_named(self, senior: MembershipCategory) -> None:
        row = made(audience="categories", categories=[senior])

        services.save_content(instance=row, values={"title": "Other"})
        assert list(row.categories.all()) == [senior]

        other = CategoryFactory.create()
        services.save_content(instance=row, values={"categories": [other]})
        assert list(row.categories.all()) == [other]

    def test_refuses_an_audience_that_its_categories_do_not_fit(self, senior: MembershipCategory) -> None:
        assert refused(audience="categories") == {"categories"}
        assert refused(audience="categories", categories=[]) == {"categories"}
        assert refused(audience="members", categories=[senior]) == {"categories"}

    def test_looks_at_the_categories_it_has_already(self, senior: MembershipCategory) -> None:
        row = made(audience="categories", categories=[senior])

        with pytest.raises(ValidationError):
            services.save_content(instance=row, values={"audience": "public"})
        services.save_content(instance=row, values={"audience": "public", "categories": []})

        assert not row.categories.exists()

    def test_refuses_what_is_no_value(self, now: datetime) -> None:
        assert refused(title="") == {"title"}
        assert refused(audience="nobody") == {"audience"}
        assert refused(publish_from=now, publish_until=now) == {"publish_until"}

    def test_refuses_an_event_that_ends_before_it_begins(self, now: datetime) -> None:
        values = {"title": "Party", "starts_at": now, "ends_at": now - timedelta(hours=1)}

        with pytest.raises(ValidationError) as error:
            services.save_content(instance=Event(), values=values)

        assert set(error.value.message_dict) == {"ends_at"}


class TestDescribeFacility:
    def test_changes_what_describes_it_and_nothing_else(self, court: Facility) -> None:
        stale = Facility.objects.get(pk=court.pk)
        Facility.objects.filter(pk=court.pk).update(kind="hall", location="Hill")

        services.describe_facility(facility=stale, values={"name": "Centre Court", "position": 1})

        court.refresh_from_db()
        assert (court.name, court.position, court.kind, court.location) == ("Centre Court", 1, "hall", "Hill")

    def test_of_nothing_changes_nothing(self, court: Facility) -> None:
        before = Facility.objects.values().get()

        services.describe_facility(facility=court, values={})

        assert Facility.objects.values().get() == before

    @pytest.mark.parametrize("name", ["kind", "state", "takes", "code"])
    def test_knows_no_field_that_bookings_depend_on(self, court: Facility, name: str) -> None:
        with pytest.raises(KeyError, match=name):
            services.describe_facility(facility=court, values={name: "hall", "name": "X"})

        assert Facility.objects.get().name == "Court One"

    def test_names_the_field_that_is_wrong(self, court: Facility) -> None:
        with pytest.raises(ValidationError) as error:
            services.describe_facility(facility=court, values={"name": ""})

        assert set(error.value.message_dict) == {"name"}
