"""Rows for tests. People are plainly test data; every default is valid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from auditlog.context import disable_auditlog
from django.db.models import Model
from factory import declarations
from factory.django import DjangoModelFactory

from accounts.models import Device, Member, Membership, MembershipCategory, Relation, Session, User
from documents.models import Asset, Image
from facilities.models import (
    Facility,
    FacilitySpace,
    OpeningPeriod,
    OpeningSpan,
    PolicyVersion,
    QuotaRule,
    ReservationPolicy,
    Space,
)

# factory_boy has no types of its own.
LazyAttribute: Any = declarations.LazyAttribute
Sequence: Any = declarations.Sequence
SubFactory: Any = declarations.SubFactory

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
M = TypeVar("M", bound=Model)


class Factory(DjangoModelFactory[M]):
    """What a test begins with was not done by anybody: the audit log says nothing of it."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type[M], *args: Any, **kwargs: Any) -> M:
        with disable_auditlog():
            made: M = super()._create(model_class, *args, **kwargs)  # type: ignore[no-untyped-call]  # as above
        return made


class CategoryFactory(Factory[MembershipCategory]):
    class Meta:
        model = MembershipCategory
        django_get_or_create = ("code",)

    code = "regular"
    name = "Regular"


class UserFactory(Factory[User]):
    class Meta:
        model = User

    username = Sequence(lambda n: f"test-user-{n}")
    display_name = Sequence(lambda n: f"Test User {n}")
    email = LazyAttribute(lambda user: f"{user.username}@example.com")


class MembershipFactory(Factory[Membership]):
    class Meta:
        model = Membership

    account_no = Sequence(lambda n: f"T-{n:05d}")
    category = SubFactory(CategoryFactory)


class MemberFactory(Factory[Member]):
    class Meta:
        model = Member

    membership = SubFactory(MembershipFactory)
    member_no = Sequence(lambda n: f"TM-{n:05d}")
    member_no_key = LazyAttribute(lambda member: member.member_no.replace("-", ""))
    relation = Relation.PRINCIPAL
    first_name = "Test"
    last_name = Sequence(lambda n: f"Member {n}")
    birth_date = date(1980, 5, 17)
    user = SubFactory(
        UserFactory,
        username=LazyAttribute(lambda user: user.factory_parent.member_no_key.lower()),
        display_name=LazyAttribute(
            lambda user: f"{user.factory_parent.first_name} {user.factory_parent.last_name}"
        ),
    )


def make_session(user: User, *, now: datetime) -> Session:
    device = Device.objects.create(user=user, platform=Device.Platform.IOS, last_seen_at=now, trusted_at=now)
    return Session.objects.create(
        user=user, device=device, started_at=now, expires_at=now.replace(year=now.year + 1)
    )


def make_space(name: str, *, lanes: int = 1, grid: int = 15, **values: Any) -> Space:
    code = name.lower().replace(" ", "-")
    return Space.objects.create(code=f"space-{code}", name=name, lanes=lanes, grid=grid, **values)


def make_facility(
    name: str,
    *,
    kind: str = "court",
    spaces: Iterable[Space] = (),
    lanes: int = 1,
    grid: int = 15,
    takes: str = "booking",
    opens: time = time(6),
    closes: time = time(22),
    next_day: bool = False,
    terms: dict[str, Any] | None = None,
    **values: Any,
) -> Facility:
    """A published facility, open each day, with a policy of its own; on a new space unless given some."""
    with disable_auditlog():
        facility = Facility.objects.create(
            code=name.lower().replace(" ", "-"),
            name=name,
            kind=kind,
            takes=takes,
            state="published",
            **values,
        )
        for space in spaces or [make_space(name, lanes=lanes, grid=grid)]:
            FacilitySpace.objects.create(facility=facility, space=space)
        period = OpeningPeriod.objects.create(facility=facility, name="All year", starts_on=date(2020, 1, 1))
        OpeningSpan.objects.bulk_create(
            [
                OpeningSpan(period=period, weekday=weekday, opens=opens, closes=closes, next_day=next_day)
                for weekday in range(7)
            ]
        )
        policy = ReservationPolicy.objects.create(name=f"{name} policy", facility=facility)
        make_version(policy, **(terms or {}))
    return facility


def make_version(policy: ReservationPolicy, *, number: int = 1, **terms: Any) -> PolicyVersion:
    """A published version; one hour slots, a week ahead, nothing to confirm, unless said."""
    return PolicyVersion.objects.create(policy=policy, number=number, published_at=LONG_AGO, **terms)


def make_rooms(
    name: str = "Garden Room", *, rooms: int = 12, terms: dict[str, Any] | None = None
) -> Facility:
    """A type of guest room: one nightly space with as many lanes as rooms."""
    return make_facility(
        name,
        kind="room_night",
        lanes=rooms,
        grid=0,
        opens=time(0),
        closes=time(0),
        next_day=True,
        terms={"open_days_ahead": 60, "max_slots": 14, **(terms or {})},
    )


def make_quota(name: str = "Two a day", **values: Any) -> QuotaRule:
    return QuotaRule.objects.create(name=name, **{"period": "day", "limit": 2, **values})


def make_image(**values: Any) -> Image:
    """A picture of the club without a file behind it: for what only needs its row."""
    number = Image.objects.count()
    asset = Asset.objects.create(
        sha256=f"{number:064x}", key=f"test/{number}", media_type="image/png", size=1, created_at=LONG_AGO
    )
    given = {"purpose": "club", "width": 16, "height": 16, "created_at": LONG_AGO, "once": f"{number:064x}"}
    return Image.objects.create(original=asset, **(given | values))
