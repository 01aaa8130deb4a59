"""What the app needs at start, put together from what the apps below serve.

``version`` is of the very data: of the rulebook's page, and of what this reader is shown now. So it
moves with every change of the club's data, when a schedule of publication begins or ends, at the
club's midnight where a policy does, and it differs where readers see different things. Members of a
category share one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise

from accounts.models import MembershipCategory
from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.rest.conditional import etag_of
from bcc.core.rest.renderers import dump_bytes
from bcc.maintenance import Maintenance, current_maintenance
from bcc.serializers import BootstrapDataSerializer
from facilities.models import Announcement, Facility, Kind, Rulebook
from facilities.selectors.club import content_for, facilities_for, with_pictures
from facilities.selectors.policies import category_of
from reservations.policies.terms import Terms
from reservations.selectors.rulebook import Rules, current_rules

MOST_ANNOUNCEMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """``data`` is None where the reader has that version; ``etag`` is of everything but the time.

    In maintenance both are None: nothing is asked of a database that may be away.
    """

    server_time: datetime
    minimum_app_version: str
    maintenance: Maintenance | None
    version: str | None
    data: Any
    etag: str


def get_bootstrap(*, identity: Identity | None, since: str, now: datetime) -> Bootstrap:
    """What ``identity`` (None: anybody) starts with. Bounded: at most eleven queries for a member, three of
    them for pictures.

    ``since`` is the version that the reader has, "" for none.
    """
    minimum = settings.MINIMUM_APP_VERSION
    maintenance = current_maintenance()
    if maintenance is not None:
        told = [minimum, maintenance.message, maintenance.until]
        return Bootstrap(now, minimum, maintenance, None, None, _weak_etag(told))
    mark = Rulebook.current_mark()  # before the rows: what changes in between moves the next version
    data = _shown(identity, mark, now)
    version = etag_of(dump_bytes([mark, data])).strip('"')
    if since == version:
        data = None
    return Bootstrap(now, minimum, None, version, data, _weak_etag([minimum, version, data is None]))


def _weak_etag(told: list[object]) -> str:
    """Weak: two answers under it differ in their time."""
    return f"W/{etag_of(dump_bytes(told))}"


def _shown(identity: Identity | None, mark: int, now: datetime) -> Any:
    """What the reader is shown now, rendered."""
    announcements = content_for(identity, Announcement, at=now).order_by("-is_pinned", "-pk")
    facilities: list[Facility] = []
    terms: dict[int, Terms | None] = {}
    categories: Iterable[MembershipCategory] = ()
    if identity is not None:
        shown = with_pictures(facilities_for(identity, at=now))
        facilities = list(shown.order_by("position", "name", "pk"))
        terms = _terms_today(identity, current_rules(mark), clock.local_date(now))
        categories = MembershipCategory.objects.order_by("rank", "pk")
    labels: dict[str, str | Promise] = dict(Kind.choices)
    data = {
        "club": _club(),
        "announcements": announcements[:MOST_ANNOUNCEMENTS],
        "kinds": [{"code": kind, "name": labels[kind]} for kind in _once(row.kind for row in facilities)],
        "areas": _once(row.area for row in facilities if row.area),
        "facilities": facilities,
        "categories": categories,
    }
    return BootstrapDataSerializer(data, context={"terms": terms}).data


def _terms_today(identity: Identity, rules: Rules, on: date) -> dict[int, Terms | None]:
    """The terms that hold for the reader, by the key of the facility."""
    category_id = category_of(identity)
    return {pk: facts.terms_on(on, category_id) for pk, facts in rules.facilities.items()}


def _club() -> dict[str, Any]:
    return {
        "name": settings.CLUB_NAME,
        "colour": settings.CLUB_COLOUR,
        "currency": settings.CLUB_CURRENCY,
        "time_zone": settings.TIME_ZONE,
        "week_start": settings.CLUB_WEEK_START,
        "email": settings.CLUB_EMAIL,
        "phone_region": settings.CLUB_PHONE_REGION,
    }


def _once(texts: Iterable[str]) -> list[str]:
    """Each of ``texts`` once, in the order of its first."""
    return list(dict.fromkeys(texts))
