"""Every code that reading or checking can end in has its sentence, and the states stand in the handbook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documents.models import STATE_LABELS
from documents.parsers import codes
from documents.policies.batches import MOVES, WORKED
from documents.policies.reasons import CELLS, FILES, ITEMS, NOTES, sentence

ROOT = Path(__file__).resolve().parents[3]
HANDBOOK = ROOT / "docs" / "finance.md"


class TestSentences:
    @pytest.mark.parametrize("code", sorted(codes.REFUSALS | codes.PROBLEMS | codes.NOTES))
    def test_there_is_one_for_each_code_of_the_parsers(self, code: str) -> None:
        assert str(sentence(code)).endswith(".")

    def test_end_with_a_full_stop_and_fit_into_a_page(self) -> None:
        for table in (ITEMS, FILES, CELLS, NOTES):
            for code, text in table.items():
                assert str(text).endswith("."), code
                assert len(str(text)) <= 110, code

    def test_there_is_one_for_each_reason_that_the_code_gives(self) -> None:
        source = "\n".join(
            path.read_text() for path in (ROOT / "documents" / "services" / "batches").rglob("*.py")
        )
        given = set(re.findall(r"Finding\(\s*Severity\.\w+, \"(\w+)\"", source))
        assert given
        assert given <= set(ITEMS) | set(FILES)


class TestHandbook:
    def test_has_the_table_of_states(self) -> None:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", HANDBOOK.read_text(), re.MULTILINE)
        told = {state: set(re.findall(r"`(\w+)`", following)) for state, _who, following in rows}
        assert told == {state.value: {to.value for to in following} for state, following in MOVES.items()}
        by_worker = {state for state, who, _following in rows if "worker" in who}
        assert by_worker == {state.value for state in WORKED}

    def test_calls_them_as_the_pages_do(self) -> None:
        text = HANDBOOK.read_text()
        for label in STATE_LABELS.values():
            assert str(label) in text
