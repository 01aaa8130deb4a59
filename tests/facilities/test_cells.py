"""Whether slots and buffers fall on cells, in zones whose offsets are no whole hours too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.policies.cells import NIGHT, Cells, find_misfits, is_mixed, zone_offsets
from facilities.policies.terms import Terms

COURT = Cells("Court", 15)
ROOMS = Cells("Rooms", NIGHT)
HOURLY = Terms(slot_minutes=60)
MANILA = frozenset({480})


def codes(
    terms: Terms, *cells: Cells, opens: tuple[time, ...] = (), offsets: frozenset[int] = MANILA
) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in find_misfits(terms, cells=cells, opens=opens, offsets=offsets)]


class TestFindMisfits:
    def test_finds_none_where_all_falls_on_cells(self) -> None:
        terms = replace(HOURLY, buffer_before_minutes=15, buffer_after_minutes=30)

        assert codes(terms, COURT, opens=(time(6), time(6, 15))) == []

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"slot_minutes": 50}, "slot_minutes"),
            ({"buffer_before_minutes": 10}, "buffer_before_minutes"),
            ({"buffer_after_minutes": 1}, "buffer_after_minutes"),
        ],
        ids=["slot", "before", "after"],
    )
    def test_names_the_field_that_is_no_multiple(self, change: dict[str, Any], field: str) -> None:
        assert codes(replace(HOURLY, **change), COURT) == [(field, "off_the_grid")]

    def test_names_hours_that_begin_between_cells(self) -> None:
        assert codes(HOURLY, COURT, opens=(time(6), time(6, 10))) == [("opens", "off_the_grid")]
        assert codes(HOURLY, COURT, opens=(time(6, 0, 30),)) == [("opens", "off_the_grid")]

    def test_counts_cells_from_the_utc_hour_under_every_offset_of_the_zone(self) -> None:
        hourly = Cells("Hall", 60)

        assert codes(HOURLY, hourly, opens=(time(6),), offsets=frozenset({330})) == [
            ("opens", "off_the_grid")
        ]
        assert codes(HOURLY, hourly, opens=(time(6, 30),), offsets=frozenset({330})) == []
        # Half an hour of summer time: neither the hour nor the half falls on cells all year.
        assert codes(HOURLY, hourly, opens=(time(6),), offsets=frozenset({630, 660})) != []
        assert codes(HOURLY, Cells("Hall", 30), opens=(time(6),), offsets=frozenset({630, 660})) == []

    def test_a_night_has_no_buffers_and_any_hours(self) -> None:
        terms = replace(HOURLY, slot_minutes=7, buffer_after_minutes=15)

        assert codes(terms, ROOMS, opens=(time(0, 7),)) == [("buffer_after_minutes", "no_buffer_at_night")]
        assert codes(HOURLY, ROOMS) == []

    def test_tells_each_space_by_name_and_what_to_do(self) -> None:
        texts = [
            one.detail
            for one in find_misfits(
                replace(HOURLY, slot_minutes=20, buffer_before_minutes=20),
                cells=[COURT, Cells("Hall", 60), ROOMS],
                opens=[time(6, 5)],
                offsets=MANILA,
            )
        ]

        assert len(texts) == 7
        assert all(any(name in text for name in ("Court", "Hall", "Rooms")) for text in texts)
        assert all(text.endswith(".") for text in texts)

    @given(
        grid=st.sampled_from([5, 10, 15, 30, 60]),
        slot=st.integers(1, 60),
        before=st.integers(0, 12),
        first=st.integers(0, 287),
        zone=st.sampled_from([ZoneInfo("Asia/Manila"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu")]),
        number=st.integers(0, 5),
    )
    def test_what_fits_has_every_edge_on_a_cell(
        self, grid: int, slot: int, before: int, first: int, zone: ZoneInfo, number: int
    ) -> None:
        terms = replace(HOURLY, slot_minutes=5 * slot, buffer_before_minutes=5 * before)
        opens = time(first // 12, first % 12 * 5)
        offsets = zone_offsets(zone, year=2026)
        start = datetime.combine(date(2026, 6, 1), opens, tzinfo=zone) + timedelta(minutes=5 * slot * number)
        edges = [start, start + timedelta(minutes=5 * slot), start - timedelta(minutes=5 * before)]

        fits = not list(find_misfits(terms, cells=[Cells("Space", grid)], opens=[opens], offsets=offsets))

        if fits:
            assert all(edge.astimezone(UTC).minute % grid == 0 for edge in edges)


class TestIsMixed:
    def test_is_nights_beside_hours(self) -> None:
        assert is_mixed([COURT, ROOMS])
        assert not is_mixed([COURT, Cells("Hall", 60)])
        assert not is_mixed([ROOMS, ROOMS])
        assert not is_mixed([])


class TestZoneOffsets:
    @pytest.mark.parametrize(
        ("zone", "offsets"),
        [
            ("Asia/Manila", {480}),
            ("Europe/Berlin", {60, 120}),
            ("Australia/Lord_Howe", {630, 660}),
            ("America/New_York", {-300, -240}),
            ("UTC", {0}),
        ],
    )
    def test_are_those_of_the_year_and_the_next(self, zone: str, offsets: set[int]) -> None:
        assert zone_offsets(ZoneInfo(zone), year=2026) == offsets

    def test_sees_a_change_of_the_next_year(self) -> None:
        # Manila had summer time in 1978 and none in 1977.
        assert zone_offsets(ZoneInfo("Asia/Manila"), year=1977) == {480, 540}
