"""Every way to change a rule or static data turns the page; a lock does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction

from accounts.models import MembershipCategory
from bcc.core import transactions
from facilities.models import (
    Announcement,
    Closure,
    ClubRule,
    Contact,
    Event,
    Facility,
    FacilityImage,
    FacilitySpace,
    Faq,
    Holiday,
    OpeningPeriod,
    OpeningSpan,
    Outlet,
    PolicyVersion,
    PrimeTime,
    Promo,
    PublishedVersionError,
    QuotaRule,
    Rate,
    ReservationPolicy,
    Rulebook,
    Space,
    StrikeRule,
)
from facilities.models.rulebook import RuledModel
from tests.factories import make_image, make_space

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

STARTS, ENDS = datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC)
BAND = {"kind": "court", "weekday": 0, "starts": time(17), "ends": time(21)}

# A row of each model that no other has; ``court`` and ``space`` are there already.
NEW: dict[type[models.Model], Callable[[Facility, Space], dict[str, Any]]] = {
    Space: lambda court, space: {"code": "new", "name": "New"},
    Facility: lambda court, space: {"code": "new", "name": "New", "kind": "court"},
    FacilityImage: lambda court, space: {"facility": court, "image": make_image()},
    FacilitySpace: lambda court, space: {"facility": court, "space": space},
    Holiday: lambda court, space: {"on": date(2026, 6, 12), "name": "New"},
    OpeningPeriod: lambda court, space: {"facility": court, "name": "New", "starts_on": date(2026, 6, 1)},
    OpeningSpan: lambda court, space: {
        "period": court.opening_periods.get(), "weekday": 7, "opens": time(9), "closes": time(18)
    },
    Closure: lambda court, space: {"facility": court, "starts_at": STARTS, "ends_at": ENDS, "reason": "New"},
    PrimeTime: lambda court, space: {"name": "New", **BAND},
    ReservationPolicy: lambda court, space: {"name": "New", "kind": "hall"},
    PolicyVersion: lambda court, space: {"policy": court.policies.get(), "number": 2},
    QuotaRule: lambda court, space: {"name": "New", "period": "day", "limit": 1},
    StrikeRule: lambda court, space: {"name": "New"},
    Rate: lambda court, space: {"facility": court, "amount": Decimal(10)},
    Announcement: lambda court, space: {"title": "New"},
    Event: lambda court, space: {"title": "New", "starts_at": STARTS, "ends_at": ENDS},
    Contact: lambda court, space: {"title": "New", "department": "Golf"},
    Faq: lambda court, space: {"title": "New"},
    ClubRule: lambda court, space: {"title": "New"},
    Outlet: lambda court, space: {"title": "New"},
    Promo: lambda court, space: {"title": "New"},
}  # fmt: skip
MODELS = sorted(NEW, key=lambda model: model.__name__)


@pytest.fixture
def space(db: None) -> Space:
    return make_space("Spare")


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def new(model: Any, court: Facility, space: Space) -> Any:
    """A row that is not saved yet."""
    return model(**NEW[model](court, space))


def turned(change: Callable[[], object]) -> bool:
    before = (Rulebook.current_number(), Rulebook.current_mark())
    change()
    number, mark = Rulebook.current_number(), Rulebook.current_mark()
    assert (number > before[0]) is (mark != before[1])
    return number > before[0]


def test_every_model_of_rules_is_tested_here() -> None:
    ruled = {one for one in apps.get_app_config("facilities").get_models() if issubclass(one, RuledModel)}

    assert ruled == set(NEW)
    assert set(apps.get_app_config("facilities").get_models()) - ruled == {Rulebook}


class TestEveryChange:
    def test_a_save_turns_the_page(self, new: Any) -> None:
        assert turned(new.save)
        assert turned(new.save)

    def test_a_deletion_turns_the_page(self, new: Any) -> None:
        new.save()
        assert turned(new.delete)

    def test_an_insert_of_many_turns_the_page(self, model: Any, new: Any) -> None:
        assert turned(lambda: model._default_manager.bulk_create([new]))
        assert model._default_manager.filter(pk=new.pk).exists()

    def test_an_update_of_many_turns_the_page(self, model: Any, new: Any) -> None:
        new.save()
        field = next(one for one in model._meta.concrete_fields if not one.primary_key)
        same = {field.attname: getattr(new, field.attname)}
        assert turned(lambda: model._default_manager.filter(pk=new.pk).update(**same))

    def test_a_deletion_of_many_turns_the_page(self, model: Any, new: Any) -> None:
        new.save()
        assert turned(lambda: model._default_manager.filter(pk=new.pk).delete())
        assert not model._default_manager.filter(pk=new.pk).exists()

    def test_a_reader_turns_nothing(self, model: Any, new: Any) -> None:
        new.save()
        assert not turned(lambda: list(model._default_manager.all()))


class TestChangesPastTheModels:
    def test_the_spaces_of_a_facility(self, court: Facility, space: Space) -> None:
        assert turned(lambda: court.spaces.add(space))
        assert turned(lambda: court.spaces.remove(space))
        assert turned(court.spaces.clear)

    def test_the_categories_of_content(self, senior: MembershipCategory) -> None:
        row = Faq.objects.create(title="New")

        assert turned(lambda: row.categories.add(senior))
        assert turned(lambda: row.categories.set([]))
        assert turned(lambda: senior.faq_set.add(row))
        assert turned(row.categories.clear)

    def test_the_name_of_a_category_which_stands_beside_rates(self, senior: MembershipCategory) -> None:
        senior.name = "Elder"
        assert turned(senior.save)

    def test_a_category_that_goes_takes_content_from_its_readers(self, senior: MembershipCategory) -> None:
        Faq.objects.create(title="New", audience="categories").categories.add(senior)

        assert turned(senior.delete)

    def test_a_lock_turns_nothing(self, space: Space) -> None:
        assert not turned(lambda: transactions.lock_rows(Space, [space.pk]))
        space.refresh_from_db()
        assert space.lock_version == 1


class TestRulebook:
    def test_begins_at_one_without_a_row(self) -> None:
        Rulebook.objects.all().delete()

        assert (Rulebook.current_number(), Rulebook.current_mark()) == (1, 0)
        Rulebook.turn_page()
        assert Rulebook.current_number() == 2
        assert str(Rulebook.objects.get()) == "2"

    def test_is_one_row_however_often_it_is_turned(self) -> None:
        for _time in range(3):
            Rulebook.turn_page()

        assert Rulebook.objects.count() == 1

    def test_a_change_that_is_rolled_back_lends_its_mark_to_no_other(self, space: Space) -> None:
        number = Rulebook.current_number()
        marks = []
        for name in ("One", "Another"):
            with transaction.atomic():
                space.name = name
                space.save(update_fields=["name"])
                assert Rulebook.current_number() == number + 1
                marks.append(Rulebook.current_mark())
                transaction.set_rollback(True)

        assert Rulebook.current_number() == number
        assert len({*marks, Rulebook.current_mark()}) == 3

    def test_a_refused_change_leaves_the_page(self, court: Facility) -> None:
        version = PolicyVersion.objects.get()
        number = Rulebook.current_number()

        for change in (version.save, version.delete, PolicyVersion.objects.all().delete):
            with pytest.raises(PublishedVersionError):
                change()
        with pytest.raises(PublishedVersionError):
            PolicyVersion.objects.update(min_slots=1)

        assert Rulebook.current_number() == number
