from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import IntegerField, Value
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from bcc.core.models import IdempotencyKey
from bcc.core.rest.paging import KeysetPagination, Position, make_cursor, read_cursor
from tests.core.rest.api import ListView
from tests.core.rest.test_problems import read

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
ORDERS = [
    ("pk",),
    ("-pk",),
    ("-created_at", "pk"),
    ("-created_at", "-pk"),
    ("status", "-created_at", "pk"),
    ("-route", "status", "-pk"),
]


def make_rows(count: int) -> None:
    """Rows with many ties: three routes, four states, one instant for each five."""
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            principal=uuid4(),
            route=f"r{index % 3}",
            key=f"k{index:04d}",
            body_sha256="",
            status=index % 4,
            created_at=BEGAN + timedelta(minutes=index // 5),
        )
        for index in range(count)
    )


def page_of(
    order: tuple[str, ...], size: int, cursor: str | None
) -> tuple[list[int], str | None, str | None]:
    request = Request(APIRequestFactory().get("/x", {"cursor": cursor} if cursor else {}))
    pagination = KeysetPagination()
    rows = pagination.page(IdempotencyKey.objects.all(), request, order=order, size=size)
    return [row.pk for row in rows], token(pagination.next), token(pagination.previous)


def token(url: str | None) -> str | None:
    return None if url is None else parse_qs(urlsplit(url).query)["cursor"][0]


def walked(order: tuple[str, ...], size: int) -> tuple[list[list[int]], list[list[int]]]:
    """The pages forward from the first, and backward from the last."""
    forward, backward = [], []
    rows, ahead, behind = page_of(order, size, None)
    assert behind is None
    forward.append(rows)
    while ahead is not None:
        rows, ahead, behind = page_of(order, size, ahead)
        forward.append(rows)
    backward.append(rows)
    while behind is not None:
        rows, ahead, behind = page_of(order, size, behind)
        assert ahead is not None
        backward.append(rows)
    return forward, backward[::-1]


@pytest.mark.django_db
class TestPage:
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("size", [1, 3, 7, 23, 24])
    def test_shows_each_row_once_in_order_both_ways(self, order: tuple[str, ...], size: int) -> None:
        make_rows(23)
        expected = list(IdempotencyKey.objects.order_by(*order).values_list("pk", flat=True))
        forward, backward = walked(order, size)
        assert [pk for page in forward for pk in page] == expected
        assert [pk for page in backward for pk in page] == expected
        assert all(len(page) == size for page in forward[:-1])

    def test_of_an_empty_list_leads_nowhere(self) -> None:
        assert page_of(("pk",), 5, None) == ([], None, None)

    def test_of_exactly_one_page_leads_nowhere(self) -> None:
        make_rows(5)
        assert page_of(("pk",), 5, None)[1:] == (None, None)

    def test_skips_and_repeats_nothing_when_rows_come_and_go(self) -> None:
        make_rows(10)
        first, ahead, _ = page_of(("-created_at", "pk"), 4, None)
        IdempotencyKey.objects.filter(pk=first[-1]).delete()
        IdempotencyKey.objects.create(
            principal=uuid4(), route="new", key="new", body_sha256="", created_at=BEGAN + timedelta(days=1)
        )
        second, _, _ = page_of(("-created_at", "pk"), 4, ahead)
        assert not set(first) & set(second)
        assert (
            second
            == list(IdempotencyKey.objects.order_by("-created_at", "pk").values_list("pk", flat=True))[4:8]
        )

    def test_finds_the_way_back_from_a_page_whose_rows_have_gone(self) -> None:
        make_rows(6)
        first, ahead, _ = page_of(("pk",), 3, None)
        IdempotencyKey.objects.exclude(pk__in=first).delete()
        rows, further, behind = page_of(("pk",), 3, ahead)
        assert (rows, further) == ([], None)
        assert page_of(("pk",), 3, behind)[0] == first

    def test_finds_the_way_forth_from_a_page_whose_rows_have_gone(self) -> None:
        make_rows(6)
        _, ahead, _ = page_of(("pk",), 3, None)
        second, _, behind = page_of(("pk",), 3, ahead)
        IdempotencyKey.objects.exclude(pk__in=second).delete()
        rows, further, before = page_of(("pk",), 3, behind)
        assert (rows, before) == ([], None)
        assert page_of(("pk",), 3, further)[0] == second

    def test_takes_one_query_however_far_in(self, client: APIClient) -> None:
        make_rows(60)
        url: str | None = "/api/v1/keys?page_size=7"
        while url is not None:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                url = client.get(url).json()["next"]
            assert len(queries) == 1
            assert "COUNT(" not in queries[0]["sql"]

    @pytest.mark.parametrize("order", [(), ("created_at",), ("pk", "created_at")])
    def test_wants_a_total_order(self, order: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="ends in pk"):
            page_of(order, 5, None)

    def test_wants_no_null_in_the_order(self) -> None:
        make_rows(3)
        rows = IdempotencyKey.objects.annotate(nothing=Value(None, output_field=IntegerField()))
        with pytest.raises(ValueError, match="never null"):
            KeysetPagination().page(
                rows, Request(APIRequestFactory().get("/x")), order=("nothing", "pk"), size=2
            )

    def test_pages_rows_of_values_as_well(self) -> None:
        make_rows(3)
        request = Request(APIRequestFactory().get("/x"))
        pagination = KeysetPagination()
        rows = pagination.page(
            IdempotencyKey.objects.values("pk", "status"),
            request,
            order=("status", "pk"),
            size=2,
        )
        assert len(rows) == 2
        assert pagination.next is not None


@pytest.mark.django_db
class TestListView:
    def test_answers_in_the_contracts_form(self, client: APIClient) -> None:
        make_rows(12)
        first = client.get("/api/v1/keys").json()
        assert list(first) == ["results", "next", "previous"]
        assert len(first["results"]) == ListView.page_size
        assert first["previous"] is None
        second = client.get(first["next"]).json()
        assert len(second["results"]) == 2
        assert second["next"] is None
        assert client.get(second["previous"]).json()["results"] == first["results"]

    def test_keeps_the_other_parameters_in_its_links(self, client: APIClient) -> None:
        make_rows(12)
        query = parse_qs(urlsplit(client.get("/api/v1/keys?page_size=2&status=3").json()["next"]).query)
        assert (query["page_size"], query["status"]) == (["2"], ["3"])

    @pytest.mark.parametrize("size", ["0", "101", "-1", "abc", "", "1.5", "9" * 50, "٣", " 5", "1e1"])
    def test_refuses_a_page_size_out_of_range(self, client: APIClient, size: str) -> None:
        problem = read(client.get("/api/v1/keys", {"page_size": size}), 400)
        assert [one["code"] for one in problem["errors"]["page_size"]] == ["invalid_page_size"]

    @pytest.mark.parametrize("size", ["1", "100"])
    def test_takes_the_page_sizes_at_the_ends(self, client: APIClient, size: str) -> None:
        make_rows(2)
        assert client.get("/api/v1/keys", {"page_size": size}).status_code == 200

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "x",
            "A" * 20,
            "A" * 5000,
            "ñ",
            "====",
            "e30",
            "null",
            "a b",
            "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        ],
    )
    def test_refuses_a_garbage_cursor(self, client: APIClient, cursor: str) -> None:
        problem = read(client.get("/api/v1/keys", {"cursor": cursor}), 400)
        assert [one["code"] for one in problem["errors"]["cursor"]] == ["invalid_cursor"]

    def test_refuses_each_cursor_with_one_character_changed(self, client: APIClient) -> None:
        make_rows(12)
        cursor = token(client.get("/api/v1/keys").json()["next"]) or ""
        for index in range(len(cursor) - 1):  # the last may hold bits that no byte uses
            changed = cursor[:index] + ("A" if cursor[index] != "A" else "B") + cursor[index + 1 :]
            assert client.get("/api/v1/keys", {"cursor": changed}).status_code == 400

    def test_refuses_a_cursor_of_another_order(self, client: APIClient) -> None:
        make_rows(12)
        _, cursor, _ = page_of(("pk",), 5, None)
        read(client.get("/api/v1/keys", {"cursor": cursor or ""}), 400)

    def test_refuses_an_unknown_parameter(self, client: APIClient) -> None:
        assert set(read(client.get("/api/v1/keys?page=2"), 400)["errors"]) == {"page"}


class TestCursor:
    values = st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.booleans(),
        st.datetimes(timezones=st.just(UTC)),
        st.dates(),
        st.uuids(),
        st.decimals(allow_nan=False, allow_infinity=False),
    )

    @given(values=st.lists(values, min_size=1, max_size=4))
    def test_brings_back_what_was_put_in(self, values: list[Any]) -> None:
        position = Position("after", tuple(values))
        cursor = make_cursor(position, "scope")
        assert len(cursor) < 1024
        assert read_cursor(cursor, "scope") == position

    @given(text=st.text(max_size=100))
    def test_takes_no_text_for_a_cursor(self, text: str) -> None:
        assert read_cursor(text, "scope") is None

    def test_belongs_to_its_scope(self) -> None:
        assert read_cursor(make_cursor(Position("after", (1,)), "one"), "two") is None

    def test_shows_no_key_of_the_database(self) -> None:
        one, two = (make_cursor(Position("after", (pk,)), "scope") for pk in (1, 2))
        assert len(one) == len(two)
        assert sum(a == b for a, b in zip(one, two, strict=True)) < len(one) // 2

    @pytest.mark.parametrize("value", [None, 1.5, b"x", object()])
    def test_takes_no_value_without_a_form(self, value: Any) -> None:
        with pytest.raises(ValueError, match="keyset"):
            make_cursor(Position("after", (value,)), "scope")

    def test_tells_a_date_from_an_instant(self) -> None:
        values = (date(2026, 3, 1), BEGAN, Decimal("1.50"), UUID(int=7), True, 1, "1")
        found = read_cursor(make_cursor(Position("until", values), "scope"), "scope")
        assert found == Position("until", values)
        assert found is not None
        assert [type(value) for value in found.values] == [type(value) for value in values]
