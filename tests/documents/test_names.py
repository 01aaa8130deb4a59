from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.parsers.names import account_key, compile_pattern, read_period


class TestRead:
    @pytest.mark.parametrize(
        ("pattern", "name", "expected"),
        [
            (
                "SOA-{account_no}-{period}.pdf",
                "SOA-D-0001-2026-10.pdf",
                {"account_no": "D-0001", "period": "2026-10"},
            ),
            (
                "SOA_{account_no}_{period}.pdf",
                "soa_d-0001_OCT2026.PDF",
                {"account_no": "d-0001", "period": "2026-10"},
            ),
            (
                "{account_no}_{period}*.pdf",
                "0001_202610 (1).pdf",
                {"account_no": "0001", "period": "2026-10"},
            ),
            (
                "SOA_{period}_{account_no}.pdf",
                "SOA_September 2026_A12.pdf",
                {"period": "2026-09", "account_no": "A12"},
            ),
            (
                "OR-{number}_{account_no}.pdf",
                "OR-00017_D-0001.pdf",
                {"number": "00017", "account_no": "D-0001"},
            ),
            ("{account_no}.pdf", "October/D-0001.pdf", {"account_no": "D-0001"}),
            ("{account_no}.pdf", "October\\D-0001.pdf", {"account_no": "D-0001"}),
            ("*/{account_no}.pdf", "October/D-0001.pdf", {"account_no": "D-0001"}),
            ("{account_no}.pdf", "Ｄ－０００１.pdf", {"account_no": "D-0001"}),
            ("SOA-{account_no}-{period}.pdf", "SOA-D-0001.pdf", None),
            ("SOA-{account_no}-{period}.pdf", "SOA-D-0001-2026-13.pdf", None),
            ("{account_no}.pdf", ".pdf", None),
            ("{account_no}.pdf", "-.pdf", None),
            ("{account_no}.pdf", "D-0001.pdf.exe", None),
            ("{account_no}.pdf", "x" * 5_000 + ".pdf", None),
            # A dot in a pattern is a dot.
            ("{account_no}.pdf", "D-0001xpdf", None),
        ],
    )
    def test_reads_what_the_pattern_names(
        self, pattern: str, name: str, expected: dict[str, str] | None
    ) -> None:
        assert compile_pattern(pattern).read(name) == expected

    def test_needs_no_long_time_for_a_name_made_to_take_one(self) -> None:
        pattern = compile_pattern("*-{account_no}-*-{number}-*.pdf")
        assert pattern.read("-" + "1-" * 90 + ".pdx") is None

    @given(
        st.text(string.ascii_letters + string.digits, min_size=1, max_size=12),
        st.integers(2000, 2099),
        st.integers(1, 12),
    )
    def test_finds_again_what_was_written_by_the_pattern(self, account: str, year: int, month: int) -> None:
        pattern = compile_pattern("SOA_{account_no}_{period}.pdf")
        found = pattern.read(f"SOA_{account}_{year}-{month:02d}.pdf")
        assert found == {"account_no": account, "period": f"{year}-{month:02d}"}

    @given(st.text(max_size=60))
    def test_takes_any_name(self, name: str) -> None:
        found = compile_pattern("{account_no}_{period}*.pdf").read(name)
        assert found is None or account_key(found["account_no"])


class TestCompilePattern:
    @pytest.mark.parametrize(
        ("pattern", "says"),
        [
            ("SOA.pdf", "needs {account_no}"),
            ("{account}.pdf", "no field"),
            ("{account_no}{number}.pdf", "nothing between"),
            ("{account_no}*.pdf", "nothing between"),
            ("{account_no}-{account_no}.pdf", "twice"),
            ("{account_no.pdf", "brace"),
            ("account_no}.pdf", "brace"),
            ("{account_no}" + "x" * 200, "longer"),
        ],
    )
    def test_says_what_is_wrong(self, pattern: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            compile_pattern(pattern)

    @given(st.text(alphabet="{}*-_.abc/\\" + string.digits, max_size=40))
    def test_compiles_or_says_why_not(self, text: str) -> None:
        for pattern in (text, text + "-{account_no}.pdf"):
            try:
                fields = compile_pattern(pattern).fields
            except ValueError:
                continue
            assert "account_no" in fields


class TestAccountKey:
    @pytest.mark.parametrize("text", ["D-0001", "d-0001", " D 0001 ", "Ｄ－０００１", "d.0001", "D/0001"])
    def test_is_one_for_every_spelling(self, text: str) -> None:
        assert account_key(text) == "D0001"

    @given(st.text(max_size=40))
    def test_is_its_own_key(self, text: str) -> None:
        assert account_key(account_key(text)) == account_key(text)


class TestReadPeriod:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-10",
            "202610",
            "2026_10",
            "10-2026",
            "102026",
            "Oct2026",
            "october 2026",
            "OCT-2026",
            "2026 Oct",
        ],
    )
    def test_reads_the_ways_of_finance(self, text: str) -> None:
        assert read_period(text) == "2026-10"

    @pytest.mark.parametrize("text", ["", "2026", "2026-13", "1026", "Octember 2026", "2026-10-05", "26-10"])
    def test_is_empty_for_what_is_no_month(self, text: str) -> None:
        assert read_period(text) == ""
