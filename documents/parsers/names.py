"""Account numbers in file names: the patterns that staff write, and the one spelling of a number."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A compiled pattern. ``fields`` are those it reads, in its order."""

    pattern: str
    fields: tuple[str, ...]
    expression: re.Pattern[str]

    def read(self, name: str) -> dict[str, str] | None:
        """What stands in ``name``, by field: ``{"account_no": "D-0001", "period": "2026-10"}``; else None.

        ``name`` may have folders; they count only where the pattern has some. A period is read in the ways
        that Finance writes it (``2026-10``, ``202610``, ``10-2026``, ``OCT2026``…) and given as ``2026-10``;
        a name without one where the pattern asks for it does not fit. ``account_no`` is as it was written.
        """
        raise NotImplementedError


def compile_pattern(pattern: str) -> NamePattern:
    """``SOA-{account_no}-{period}*.pdf``: fields are read, ``*`` is anything, the rest is itself in any case.

    Raises ValueError with a sentence in English that says what is wrong: an unknown or repeated field, no
    ``{account_no}``, two fields with nothing between them, a brace left open, more than 160 characters.
    """
    raise NotImplementedError


def account_key(text: str) -> str:
    """One spelling of an account number: upper case, letters and digits only. ``d-0001`` is ``D0001``.

    Full-width and other compatible forms are folded. Empty for a text without any.
    """
    raise NotImplementedError


def read_period(text: str) -> str:
    """A month as Finance writes it, as ``2026-10``; empty for what is none."""
    raise NotImplementedError
