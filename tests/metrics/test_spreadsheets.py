from __future__ import annotations

import pytest

from metrics.policies.spreadsheets import safe_cell


class TestSafeCell:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "\ufeff=1"]
    )
    def test_takes_the_sting_out_of_a_formula(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "Court 1", "a=b", "1-2", "'=1", "Ünïcode"])
    def test_leaves_other_texts_alone(self, text: str) -> None:
        assert safe_cell(text) == text

    @pytest.mark.parametrize("number", [0, -5, 10**12])
    def test_leaves_numbers_numbers(self, number: int) -> None:
        assert safe_cell(number) == number
