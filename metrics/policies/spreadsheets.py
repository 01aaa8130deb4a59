"""What may stand in a file that somebody opens with a spreadsheet."""

from __future__ import annotations

from typing import Final

# Of a cell's first character, as OWASP lists them; the full-width forms are read as the plain ones.
_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")


def safe_cell(value: str | int) -> str | int:
    """``value``, with an apostrophe before a text that a spreadsheet would take for a formula.

    Spaces before the sign do not help it. Numbers stay numbers.
    """
    if isinstance(value, int):
        return value
    begins = value.lstrip(" \u00a0\u3000\ufeff")[:1]
    return f"'{value}" if begins in _FORMULA else value
