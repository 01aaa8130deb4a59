"""Account numbers in file names: the patterns that staff write, and the one spelling of a number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 160
_LONGEST_NAME: Final = 400
_FIELDS: Final = ("account_no", "period", "number")
_PART: Final = re.compile(r"\{([^{}]*)\}|(\*+)|([{}])")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED: Final = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
)
_MONTH: Final = r"0[1-9]|1[0-2]"
_BETWEEN: Final = r"[-_. ]?"
# In each the year and the month, as number or as name.
_PERIODS: Final = (
    rf"(?P<year>20\d\d){_BETWEEN}(?P<month>{_MONTH})",
    rf"(?P<month>{_MONTH}){_BETWEEN}(?P<year>20\d\d)",
    rf"(?P<name>{_NAMED}){_BETWEEN}(?P<year>20\d\d)",
    rf"(?P<year>20\d\d){_BETWEEN}(?P<name>{_NAMED})",
)
_PERIOD_FORMS: Final = tuple(re.compile(form, re.ASCII | re.IGNORECASE) for form in _PERIODS)
_EXPRESSIONS: Final[Mapping[str, str]] = {
    # As little as it takes, so that what follows has its turn; one line, no folder.
    "account_no": r"(?P<account_no>[^\W_][\w .#-]{0,30}?)",
    "number": r"(?P<number>[^\W_][\w .#-]{0,58}?)",
    "period": "(?P<period>" + "|".join(re.sub(r"\?P<\w+>", "?:", form) for form in _PERIODS) + ")",
}


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
        name = unicodedata.normalize("NFKC", name.replace("\\", "/"))
        if "/" not in self.pattern:
            name = name.rpartition("/")[2]
        found = self.expression.fullmatch(name) if len(name) <= _LONGEST_NAME else None
        if found is None:
            return None
        values = {field: found[field].strip() for field in self.fields}
        if "period" in values:
            values["period"] = read_period(values["period"])
        return values if account_key(values["account_no"]) else None


def compile_pattern(pattern: str) -> NamePattern:
    """``SOA-{account_no}-{period}*.pdf``: fields are read, ``*`` is anything, the rest is itself in any case.

    Raises ValueError with a sentence in English that says what is wrong: an unknown or repeated field, no
    ``{account_no}``, two parts that could be anything with nothing between them, a brace left open, more
    than 160 characters.
    """
    pattern = unicodedata.normalize("NFKC", pattern.strip().replace("\\", "/"))
    if len(pattern) > _LONGEST:
        raise ValueError(f"The pattern is longer than {_LONGEST} characters.")
    fields: list[str] = []
    expression, end, was_open = "", 0, False
    for part in _PART.finditer(pattern):
        between = pattern[end : part.start()]
        end = part.end()
        field, anything, brace = part.groups()
        if brace:
            raise ValueError("A brace stands alone: write a field as {account_no}.")
        # A month ends by itself; anything else goes on until something else begins.
        is_open = field != "period"
        if was_open and is_open and not between:
            raise ValueError("Two parts follow each other with nothing between them: where would one end?")
        expression += re.escape(between)
        was_open = is_open
        if anything:
            expression += r"[^/]*?"
        elif field not in _FIELDS:
            raise ValueError(f"{{{field}}} is no field: use {{account_no}}, {{period}} or {{number}}.")
        elif field in fields:
            raise ValueError(f"{{{field}}} stands twice.")
        else:
            fields.append(field)
            expression += _EXPRESSIONS[field]
    if "account_no" not in fields:
        raise ValueError("The pattern needs {account_no}: nothing else tells whose a file is.")
    expression += re.escape(pattern[end:])
    return NamePattern(pattern, tuple(fields), re.compile(expression, re.IGNORECASE))


def account_key(text: str) -> str:
    """One spelling of an account number: upper case, letters and digits only. ``d-0001`` is ``D0001``.

    Full-width and other compatible forms are folded. Empty for a text without any.
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).upper()


def read_period(text: str) -> str:
    """A month as Finance writes it, as ``2026-10``; empty for what is none."""
    text = unicodedata.normalize("NFKC", text).strip()
    for form in _PERIOD_FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            number = int(parts["month"]) if "month" in parts else _MONTHS.index(parts["name"][:3].lower()) + 1
            return f"{parts['year']}-{number:02d}"
    return ""
