"""Every hot route both ways, for each of the cast: the same bytes, the same refusals, the same headers."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient
from rest_framework.throttling import BaseThrottle

from accounts.models import Member, User
from bcc.core.errors import BusyError
from facilities.models import Facility
from reservations.views import hot as hot_views
from reservations.views.availability import AvailabilityView
from reservations.views.reservations import ReservationListView
from tests.factories import make_quota
from tests.reservations.api.calls import RESERVATIONS, Body, Client, post

pytestmark = pytest.mark.django_db

# The same wish in words that only the view's own negotiation reads.
THE_VIEWS_WAY = "application/json;q=0.9"
# Counted anew and drawn anew at each request.
OF_THE_REQUEST = {"X-Request-ID", "RateLimit"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The quick forms that answered."""
    answered: list[str] = []
    for name, fast in (
        ("availability", hot_views.FastAvailability),
        ("reservations", hot_views.FastReservations),
    ):
        real = fast.answer

        def answer(self: Any, request: Any, asked: Any, real: Any = real, name: str = name) -> bytes:
            body: bytes = real(self, request, asked)
            answered.append(name)
            return body

        monkeypatch.setattr(fast, "answer", answer)
    return answered


def both(client: APIClient, url: str, **headers: str) -> tuple[Any, Any]:
    """The reply of the quick form, and of the view."""
    quickly = client.get(url, headers={"Accept": "*/*", **headers})
    slowly = client.get(url, headers={"Accept": THE_VIEWS_WAY, **headers})
    return quickly, slowly


def body_without_id(response: Any) -> Any:
    """The body; of a problem, which carries the request's id, without that."""
    if response.status_code < 400:
        return response.content
    return {name: value for name, value in response.json().items() if name != "request_id"}


def assert_equal(quickly: Any, slowly: Any) -> None:
    assert quickly.status_code == slowly.status_code
    assert body_without_id(quickly) == body_without_id(slowly)
    one, other = dict(quickly.items()), dict(slowly.items())
    assert set(one) == set(other)
    for name in set(one) - OF_THE_REQUEST:
        if name == "Content-Security-Policy":
            assert set(one[name].split("; ")) == set(other[name].split("; "))
        else:
            assert one[name] == other[name], name


@pytest.fixture
def urls(court: Facility) -> list[str]:
    week = f"/api/v1/facilities/{court.public_id}/availability"
    return [
        week,
        f"{week}?from=2026-06-02&to=2026-06-05",
        f"{week}?from=2026-06-02&to=2026-07-02&party=2",
        f"{week}?to=2026-06-01",
        f"{RESERVATIONS}",
        f"{RESERVATIONS}?when=upcoming",
        f"{RESERVATIONS}?when=past&page_size=2",
        f"{RESERVATIONS}?when=upcoming&page_size=2",
    ]


@pytest.fixture
def booked(
    client_of: Client, owner: Member, spouse: Member, dependent: Member, stranger: Member, body_of: Body
) -> None:
    make_quota("Four a day", limit=4)
    for day, who in enumerate((owner, owner, spouse, dependent, stranger, owner), start=2):
        post(client_of(who), RESERVATIONS, body_of(day=day, hour=8 + day, notes="Ärger & <b>"))
    for hour in (13, 15, 17):
        post(client_of(owner), RESERVATIONS, body_of(day=3, hour=hour))


class TestBothWays:
    @pytest.mark.parametrize("who", ["owner", "spouse", "dependent", "stranger"])
    def test_answer_members_alike(
        self,
        request: pytest.FixtureRequest,
        who: str,
        client_of: Client,
        booked: None,
        urls: list[str],
        quick: list[str],
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        for url in urls:
            quick.clear()
            quickly, slowly = both(client, url)
            assert len(quick) == 1, url
            assert quickly.status_code == 200
            assert_equal(quickly, slowly)

    def test_refuse_staff_alike(
        self, each_staff: User, client_of: Client, booked: None, urls: list[str], quick: list[str]
    ) -> None:
        client = client_of(each_staff)
        for url in urls:
            quickly, slowly = both(client, url)
            assert quickly.status_code == 403
            assert_equal(quickly, slowly)
        assert quick == []

    def test_refuse_the_anonymous_and_a_broken_token_alike(self, urls: list[str], quick: list[str]) -> None:
        for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
            for url in urls:
                quickly, slowly = both(APIClient(), url, **header)
                assert quickly.status_code == 401
                assert_equal(quickly, slowly)
        assert quick == []

    def test_refuse_a_member_who_is_gone_and_a_facility_that_is_not_there_alike(
        self, client_of: Client, owner: Member, court: Facility, quick: list[str]
    ) -> None:
        client = client_of(owner)
        missing = "/api/v1/facilities/11111111-1111-4111-8111-111111111111/availability"
        quickly, slowly = both(client, missing)
        assert quickly.status_code == 404
        assert_equal(quickly, slowly)

    @pytest.mark.parametrize(
        "query",
        [
            "from=2026-02-30",
            "from=2026-06-02&to=2026-06-01",
            "from=2026-06-01&to=2026-07-15",
            "party=0",
            "party=-1",
            "party=1.0",
            "party=501",
            "party=999999",
            "from=2026-06-01&from=2026-06-02",
            "unknown=1",
            "from=1999-12-31",
            "from=",
        ],
    )
    def test_refuse_bad_parameters_of_availability_alike(
        self, client_of: Client, owner: Member, court: Facility, query: str
    ) -> None:
        url = f"/api/v1/facilities/{court.public_id}/availability?{query}"
        quickly, slowly = both(client_of(owner), url)
        assert quickly.status_code == 400
        assert_equal(quickly, slowly)

    @pytest.mark.parametrize(
        "query", ["when=", "when=never", "page_size=0", "page_size=101", "page_size=x", "cursor=x", "a=b"]
    )
    def test_refuse_bad_parameters_of_the_list_alike(
        self, client_of: Client, owner: Member, query: str
    ) -> None:
        quickly, slowly = both(client_of(owner), f"{RESERVATIONS}?{query}")
        assert quickly.status_code == 400
        assert_equal(quickly, slowly)

    def test_page_alike_and_the_next_page_follows(
        self, client_of: Client, owner: Member, booked: None, quick: list[str]
    ) -> None:
        client = client_of(owner)
        quickly, slowly = both(client, f"{RESERVATIONS}?when=upcoming&page_size=3")
        assert quickly.json()["next"] == slowly.json()["next"]
        seen = [one["id"] for one in quickly.json()["results"]]
        following = quickly.json()["next"]
        while following:
            page = client.get(following).json()
            seen += [one["id"] for one in page["results"]]
            following = page["next"]
        whole = client.get(f"{RESERVATIONS}?when=upcoming&page_size=100").json()["results"]
        assert seen == [one["id"] for one in whole]

    def test_answer_who_has_the_bytes_alike(
        self, client_of: Client, owner: Member, court: Facility, booked: None
    ) -> None:
        client = client_of(owner)
        url = f"/api/v1/facilities/{court.public_id}/availability"
        etag = client.get(url)["ETag"]
        quickly, slowly = both(client, url, **{"If-None-Match": f"W/{etag}"})
        assert (quickly.status_code, quickly.content) == (304, b"")
        assert_equal(quickly, slowly)

    def test_count_against_one_limit(
        self, client_of: Client, owner: Member, court: Facility, settings: Any
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "reads": "3/m"}
        client = client_of(owner)
        url = f"/api/v1/facilities/{court.public_id}/availability"
        for _pair in range(2):
            quickly, slowly = both(client, url)
        assert (quickly.status_code, slowly.status_code) == (200, 429)
        quickly, slowly = both(client, url)
        assert quickly.status_code == 429
        assert_equal(quickly, slowly)

    def test_other_methods_and_bodies_are_the_views(
        self, client_of: Client, owner: Member, court: Facility, body_of: Body, quick: list[str]
    ) -> None:
        client = client_of(owner)
        assert client.post(RESERVATIONS, body_of(), format="json").status_code == 201
        assert client.head(RESERVATIONS).status_code == 200
        assert client.options(RESERVATIONS).status_code == 405
        assert client.generic("GET", RESERVATIONS, "{}", content_type="application/json").status_code == 200
        assert quick == []


class TestWhoseRows:
    """Which rows a member sees is remembered as a guess, and each page says whether it still holds."""

    URL = f"{RESERVATIONS}?when=upcoming"

    def test_are_asked_for_in_one_query_while_the_member_stays_where_they_are(
        self,
        client_of: Client,
        owner: Member,
        booked: None,
        quick: list[str],
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client = client_of(owner)
        client.get(self.URL)
        with django_assert_num_queries(1):
            client.get(self.URL)
        assert len(quick) == 2

    def test_of_a_page_without_any_cost_another_query(
        self, client_of: Client, stranger: Member, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = client_of(stranger)
        client.get(self.URL)
        with django_assert_num_queries(2):
            assert client.get(self.URL).json()["results"] == []

    @pytest.mark.parametrize("changes", [{"relation": "dependent"}, {"membership": "stranger"}])
    def test_are_others_in_the_moment_the_member_is_elsewhere(
        self, client_of: Client, spouse: Member, stranger: Member, booked: None, changes: dict[str, str]
    ) -> None:
        client = client_of(spouse)
        before = client.get(self.URL).json()["results"]
        if "relation" in changes:
            Member.objects.filter(pk=spouse.pk).update(relation=changes["relation"])
        else:
            Member.objects.filter(pk=spouse.pk).update(membership=stranger.membership)
        quickly, slowly = both(client, self.URL)
        assert_equal(quickly, slowly)
        assert quickly.json()["results"] != before

    def test_of_a_member_who_is_gone_are_nobodys(
        self, client_of: Client, stranger: Member, quick: list[str]
    ) -> None:
        client = client_of(stranger)
        client.get(self.URL)
        Member.objects.filter(pk=stranger.pk).delete()
        quickly, slowly = both(client, self.URL)
        assert quickly.status_code == slowly.status_code == 404
        assert_equal(quickly, slowly)


HOT = {"availability": AvailabilityView, "reservations": ReservationListView}


def url_of(name: str, court: Facility) -> str:
    return f"/api/v1/facilities/{court.public_id}/availability" if name == "availability" else RESERVATIONS


class TestChecks:
    def test_know_every_hot_route(self) -> None:
        """A route that takes the quick form and is not tried above fails here."""
        found = set()

        def walk(patterns: Any) -> None:
            for one in patterns:
                if hasattr(one, "url_patterns"):
                    walk(one.url_patterns)
                elif hasattr(one.callback, "form"):
                    found.add(one.callback.cls)

        walk(get_resolver().url_patterns)
        assert found == set(HOT.values())

    @pytest.mark.parametrize("name", HOT)
    def test_are_the_views_own_permissions(
        self, client_of: Client, owner: Member, court: Facility, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A permission that is put on the view, or taken off it, is so on the quick form."""
        url = url_of(name, court)

        class Nobody:
            def has_permission(self, request: Any, view: Any) -> bool:
                return False

        client = client_of(owner)
        assert client.get(url).status_code == 200
        monkeypatch.setattr(HOT[name], "permission_classes", (Nobody,))
        quickly, slowly = both(client, url)
        assert quickly.status_code == 403
        assert_equal(quickly, slowly)

    @pytest.mark.parametrize("name", HOT)
    def test_keep_out_who_is_no_member_by_the_views_permission_alone(
        self, client_of: Client, front_desk: User, court: Facility, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without its permission the view would let staff in: what keeps them out is looked at."""
        url = url_of(name, court)
        client = client_of(front_desk)
        assert client.get(url).status_code == 403
        monkeypatch.setattr(HOT[name], "permission_classes", ())
        assert client.get(url).status_code != 403

    @pytest.mark.parametrize("name", HOT)
    def test_are_the_views_own_limits(
        self, client_of: Client, owner: Member, court: Facility, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = url_of(name, court)

        class Away(BaseThrottle):
            def allow_request(self, request: Any, view: Any) -> bool:
                raise BusyError(retry_after=5)

        monkeypatch.setattr(HOT[name], "get_throttles", lambda self: [Away()])
        quickly, slowly = both(client_of(owner), url)
        assert quickly.status_code == 503
        assert_equal(quickly, slowly)
