from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.parsers import codes
from documents.parsers.cells import (
    LARGEST,
    CellError,
    Order,
    Raw,
    Style,
    as_text,
    decimals_shown,
    order_shown,
    read_account,
    read_date,
    read_integer,
    read_money,
    read_text,
)

AMOUNTS = st.decimals(min_value=-(LARGEST - 1), max_value=LARGEST - 1, places=2)
DAYS = st.dates(date(1900, 1, 1), date(2119, 12, 31))
ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text("0123456789.,-()$₱ PHPCRDR/=#'\"", max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
)


def code_of(read: Callable[[Raw], object], raw: Raw) -> str:
    with pytest.raises(CellError) as refused:
        read(raw)
    return refused.value.code


def outcome_of(read: Callable[[Raw], object], raw: Raw) -> object:
    """The value, or the code of a problem, which is one that people have a sentence for."""
    try:
        return read(raw)
    except CellError as error:
        if error.code not in codes.PROBLEMS:
            raise
        return error.code


class TestReadMoney:
    @pytest.mark.parametrize(
        ("raw", "amount"),
        [
            ("1,234.56", "1234.56"),
            ("(1,234.56)", "-1234.56"),
            ("-1,234.56", "-1234.56"),
            ("1,234.56-", "-1234.56"),
            ("−1,234.56", "-1234.56"),
            ("1,234.56 CR", "-1234.56"),
            ("1,234.56DR", "1234.56"),
            ("(1,234.56) CR", "1234.56"),
            ("₱1,234.56", "1234.56"),
            ("PHP 1,234.56", "1234.56"),
            ("P1,234.56", "1234.56"),
            ("(P1,234.56)", "-1234.56"),
            ("-₱ 1 234.56", "-1234.56"),
            ("$.50", "0.50"),
            ("1,234,567", "1234567.00"),
            ("5", "5.00"),
            ("5.", "5.00"),
            ("-", "0.00"),
            ("–", "0.00"),
            ("(0.00)", "0.00"),
            ("１，２３４．５０", "1234.50"),
            ('="12.50"', "12.50"),
            (0.1 + 0.2, "0.30"),
            (1234, "1234.00"),
            (-12.5, "-12.50"),
        ],
    )
    def test_reads_the_ways_of_finance(self, raw: Raw, amount: str) -> None:
        found = read_money(raw)
        assert str(found) == amount

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            ("n.a.?", "money_unclear"),
            ("", "money_unclear"),
            ("1.234,56", "money_unclear"),
            ("12,34.56", "money_unclear"),
            ("1,23", "money_unclear"),
            ("1 234 .", "money_unclear"),
            ("--5", "money_unclear"),
            ("1e5", "money_unclear"),
            ("D-0001", "money_unclear"),
            ("1.234", "money_precision"),
            (0.125, "money_precision"),
            ("999,999,999,999,999.00", "money_too_large"),
            (1e300, "money_too_large"),
            (math.inf, "money_unclear"),
            (math.nan, "money_unclear"),
            (True, "money_unclear"),
            (date(2026, 10, 5), "money_unclear"),
            ("#REF!", "cell_error"),
            ("=1+1", "formula"),
        ],
    )
    def test_says_why_not(self, raw: Raw, code: str) -> None:
        assert code_of(read_money, raw) == code

    @pytest.mark.parametrize(
        ("raw", "amount"),
        [("1.234,56", "1234.56"), ("(20,00)", "-20.00"), ("5", "5.00"), ("1.000", "1000.00")],
    )
    def test_reads_decimal_commas_where_the_column_has_them(self, raw: Raw, amount: str) -> None:
        assert read_money(raw, Style(decimal_comma=True)) == Decimal(amount)

    @given(AMOUNTS)
    def test_reads_back_every_way_of_writing_an_amount(self, amount: Decimal) -> None:
        size = f"{abs(amount):,.2f}"
        minus = amount < 0
        for text in (
            f"{amount:,.2f}",
            f"{amount:.2f}",
            f"({size})" if minus else size,
            f"{size}-" if minus else f"+{size}",
            f"PHP {size} CR" if minus else f"₱{size} DR",
        ):
            assert read_money(text) == amount
        european = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
        assert read_money(european, Style(decimal_comma=True)) == amount

    @given(st.integers(-(10**9), 10**9))
    def test_reads_the_floats_of_a_spreadsheet_to_the_cent(self, cents: int) -> None:
        assert read_money(cents / 100) == Decimal(cents) / 100


class TestReadDate:
    @pytest.mark.parametrize(
        ("raw", "day"),
        [
            ("2026-10-05", date(2026, 10, 5)),
            ("2026/10/5", date(2026, 10, 5)),
            ("2026-10-05 00:00:00", date(2026, 10, 5)),
            ("5 Oct 2026", date(2026, 10, 5)),
            ("Oct 5, 2026", date(2026, 10, 5)),
            ("05-OCT-26", date(2026, 10, 5)),
            ("Sept. 5, 2026", date(2026, 9, 5)),
            ("10/25/2026", date(2026, 10, 25)),
            ("25.10.2026", date(2026, 10, 25)),
            ("5/5/26", date(2026, 5, 5)),
            ("46300", date(2026, 10, 5)),
            (46300.0, date(2026, 10, 5)),
            (datetime.fromisoformat("2026-10-05T14:30"), date(2026, 10, 5)),
        ],
    )
    def test_reads_the_ways_of_finance(self, raw: Raw, day: date) -> None:
        assert read_date(raw) == day

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            ("05/10/2026", "date_ambiguous"),
            ("02/30/2026", "date_unclear"),
            ("13/13/2026", "date_unclear"),
            ("2026-02-29", "date_unclear"),
            ("Octember 5, 2026", "date_unclear"),
            ("next week", "date_unclear"),
            (5.0, "date_unclear"),
            (46300.5, "date_unclear"),
            (True, "date_unclear"),
            ("#N/A", "cell_error"),
        ],
    )
    def test_says_why_not(self, raw: Raw, code: str) -> None:
        assert code_of(read_date, raw) == code

    @pytest.mark.parametrize(("order", "day"), [("mdy", date(2026, 5, 10)), ("dmy", date(2026, 10, 5))])
    def test_takes_the_order_of_its_column(self, order: Order, day: date) -> None:
        assert read_date("05/10/2026", Style(order=order)) == day

    def test_does_not_turn_a_date_around_against_its_column(self) -> None:
        with pytest.raises(CellError):
            read_date("25/10/2026", Style(order="mdy"))

    @given(DAYS)
    def test_reads_back_every_day(self, day: date) -> None:
        assert read_date(day.isoformat()) == day
        assert read_date(f"{day:%d %B} {day.year}") == day
        assert read_date(f"{day.month}/{day.day}/{day.year}", Style(order="mdy")) == day
        assert read_date(f"{day.day:02d}.{day.month:02d}.{day.year}", Style(order="dmy")) == day

    @given(DAYS)
    def test_never_takes_one_day_for_another(self, day: date) -> None:
        text = f"{day:%d/%m/}{day.year}"
        assert outcome_of(read_date, text) in (day, "date_ambiguous")


class TestReadAccount:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [("D-0001", "D-0001"), (1001.0, "1001"), (1001, "1001"), ('="0001"', "0001"), (" d 0001 ", "d 0001")],
    )
    def test_is_as_it_was_written(self, raw: Raw, text: str) -> None:
        assert read_account(raw) == text

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            ("1.2E+11", "account_mangled"),
            (1.2e15, "account_mangled"),
            ("Alma Demo", "account_unclear"),
            (10.5, "account_unclear"),
            ("9" * 40, "account_unclear"),
            (date(2026, 1, 1), "account_unclear"),
            ("#NAME?", "cell_error"),
            ("=A1", "formula"),
        ],
    )
    def test_says_why_not(self, raw: Raw, code: str) -> None:
        assert code_of(read_account, raw) == code


class TestReadInteger:
    @pytest.mark.parametrize(
        ("raw", "number"), [("1,234", 1234), (5.0, 5), ("-3", -3), ("7.00", 7), (12, 12)]
    )
    def test_reads_whole_numbers(self, raw: Raw, number: int) -> None:
        assert read_integer(raw) == number

    @pytest.mark.parametrize("raw", ["1.5", 1.5, "x", "", "1" * 30, True, 1e20])
    def test_refuses_others(self, raw: Raw) -> None:
        assert code_of(read_integer, raw) == "integer_unclear"


class TestAnyCell:
    @given(ANYTHING)
    def test_has_a_value_or_a_known_problem(self, raw: Raw) -> None:
        assert "\n" not in as_text(raw)
        order_shown(raw)
        decimals_shown(raw)
        european = Style(decimal_comma=True, order="dmy")
        for read in (
            read_text,
            read_account,
            read_money,
            read_date,
            read_integer,
            lambda cell: read_money(cell, european),
            lambda cell: read_date(cell, european),
        ):
            assert outcome_of(read, raw) is not None

    @given(ANYTHING)
    def test_money_has_two_places_and_is_no_negative_zero(self, raw: Raw) -> None:
        try:
            amount = read_money(raw)
        except CellError:
            return
        assert amount.as_tuple().exponent == -2
        assert str(amount) != "-0.00"
        assert abs(amount) < LARGEST
