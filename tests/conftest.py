"""The cast: one who owns, one of the same household, one stranger who must see nothing, and staff.

The time is Monday 1 June 2026, 08:00 at the club, unless a test says otherwise.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from accounts.models import Member, Relation, User
from accounts.services import epoch
from accounts.services.identities import forget_identities
from accounts.services.roles import ROLES, sync_roles
from accounts.services.tokens import make_tokens
from bcc.core import nudges
from chat.services.nudging import forget_nudges
from chat.services.rules import forget_rules
from facilities.models import Facility
from metrics.services import activities
from reservations.selectors import open_days
from reservations.views import hot
from tests.factories import MemberFactory, UserFactory, make_facility, make_session
from tests.flushing import flush, note_what_is_made
from tests.tables import copy_tables

NOW = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)

# A shell that starts the tests in the background lets them, and all that they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every machine and in every order; no clock of a busy machine fails a test.
hypothesis_settings.register_profile("suite", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis_settings.load_profile("suite")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with servers of their own first: begun at the end, they would keep one worker busy alone."""
    items.sort(key=lambda item: "tests/live/" not in item.nodeid)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """pytest-django's: whether the database is there already."""
    return copy_tables()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """pytest-django's, and with it how a transactional test is cleaned up after."""
    with django_db_blocker.unblock():
        note_what_is_made()
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]  # of Django itself


@pytest.fixture
def now() -> datetime:
    return NOW


def forget() -> None:
    cache.clear()
    # The mark that the cache held goes with it: one kept beside would expire in the middle of a test.
    epoch.forget()
    forget_identities()
    activities._buffer.take()
    open_days.forget()
    hot._places.clear()
    forget_rules()
    forget_nudges()


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """What processes remember between requests does not outlive a test."""
    forget()
    yield
    # What a test handed to the threads of nudges would take that of the next one along.
    nudges.settle()
    forget()


@pytest.fixture
def travel(now: datetime) -> Iterator[time_machine.Traveller]:
    """The machine's clock stands at ``now``; ``travel.move_to`` and ``travel.shift`` move it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def owner(db: None) -> Member:
    return MemberFactory.create(first_name="Test", last_name="Owner")


@pytest.fixture
def spouse(owner: Member) -> Member:
    return MemberFactory.create(membership=owner.membership, relation=Relation.SPOUSE, last_name="Spouse")


@pytest.fixture
def dependent(owner: Member) -> Member:
    return MemberFactory.create(
        membership=owner.membership, relation=Relation.DEPENDENT, last_name="Dependent"
    )


@pytest.fixture
def stranger(db: None) -> Member:
    return MemberFactory.create(last_name="Stranger")


@pytest.fixture
def make_staff(db: None) -> Callable[[str], User]:
    """A member of staff of a group, by the group's name."""

    def make(group: str) -> User:
        if not Group.objects.filter(name=group).exists():
            sync_roles()
        user = UserFactory.create(is_staff=True, display_name=f"Test {group}")
        user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def front_desk(make_staff: Callable[[str], User]) -> User:
    return make_staff("Front Desk")


@pytest.fixture(params=sorted(ROLES))
def each_staff(request: pytest.FixtureRequest, make_staff: Callable[[str], User]) -> User:
    """One after the other, a member of staff of each group."""
    return make_staff(request.param)


@pytest.fixture
def client_of(travel: time_machine.Traveller, now: datetime) -> Callable[[Member | User], APIClient]:
    """An API client signed in as a member or a member of staff, at ``now``."""

    def sign_in(who: Member | User) -> APIClient:
        user = who if isinstance(who, User) else who.user
        assert user is not None
        tokens = make_tokens(user=user, session=make_session(user, now=now), now=now)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
        return client

    return sign_in


@pytest.fixture
def court(db: None) -> Facility:
    """One hour slots from 06:00 to 22:00, a week ahead, up to three in a row, nothing to confirm."""
    return make_facility("Court One", terms={"max_slots": 3})


def at_club(day: int, hour: int, minute: int = 0, *, month: int = 6, year: int = 2026) -> datetime:
    """An instant by the clock of the club, eight hours ahead of UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
def body_of(court: Facility) -> Callable[..., dict[str, Any]]:
    """The body of a booking of the court, tomorrow at ten unless said."""

    def body(
        facility: Facility = court, *, day: int = 2, hour: int = 10, slots: int = 1, **more: Any
    ) -> dict[str, Any]:
        starts_at = at_club(day, hour)
        return {
            "facility": str(facility.public_id),
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=slots)).isoformat(),
            **more,
        }

    return body
