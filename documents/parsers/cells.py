"""One cell: what was written, read as what its column is. Pure; what cannot be read says why.

The rules are Finance's habits: ``(1,234.56)`` and ``1,234.56-`` and ``1,234.56 CR`` are negative, a dash is
nothing, a currency sign is no matter. What could mean two things is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from documents.parsers.names import account_key

Raw = str | int | float | bool | date | datetime | None
Order = Literal["", "dmy", "mdy"]


class CellError(ValueError):
    """``code`` is one of ``codes.PROBLEMS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Style:
    """How a column writes what could be read in two ways; worked out from all of its cells."""

    decimal_comma: bool = False
    order: Order = ""


LARGEST: Final = Decimal(10) ** 12
_CENT: Final = Decimal("0.01")
# A spreadsheet's sum of cents, 0.1 + 0.2, is off by less than this; more is a third decimal.
_NOISE: Final = Decimal("0.000001")
# 1954 to 2119: a number in a column of dates is a day counted from the end of 1899.
_FIRST_SERIAL: Final = 20_000
_LAST_SERIAL: Final = 80_000
_SERIAL_ZERO: Final = date(1899, 12, 30)
_LONGEST_ACCOUNT: Final = 32
# Beyond 15 digits a spreadsheet rounds.
_EXACT: Final = 10**15
_ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_NOTHING: Final = frozenset({"-", "--", "nil", "n/a", "na"})
_CURRENCY: Final = re.compile(r"php|usd|₱|[$€£¥]|p(?=[\s\d(.-])", re.IGNORECASE)
_POINT: Final = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?", re.ASCII)
_COMMA: Final = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?", re.ASCII)
_SPACED: Final = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,]\d*)?", re.ASCII)
# Seen in one cell of a column, these settle how the column writes its decimals.
_SURELY_COMMA: Final = re.compile(r"\d(?:[\d.]*\d)?,\d{1,2}(?!\d)", re.ASCII)
_SURELY_POINT: Final = re.compile(r"\d(?:[\d,]*\d)?\.\d{1,2}(?!\d)|\d,\d{3}(?:,|\.|$)", re.ASCII)
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_PARTS: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?: 0?0:00(?::00)?)?", re.ASCII)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WORDS: Final = re.compile(
    r"(?:(\d{1,2})[-/. ,]*([a-z]{3,9})\.?|([a-z]{3,9})\.?[-/. ]*(\d{1,2}))[-/. ,]+(\d{4}|\d{2})",
    re.ASCII | re.IGNORECASE,
)
_EXPONENT: Final = re.compile(r"\d(?:\.\d+)?e\+\d+", re.ASCII | re.IGNORECASE)
# How people keep leading zeros in a CSV: ="0001".
_QUOTED: Final = re.compile(r'="([^"]*)"')


def as_text(raw: Raw) -> str:
    """The cell as a person would see it: one line, without blanks at its ends."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, datetime):
        is_day = raw.time() == datetime.min.time()
        return raw.date().isoformat() if is_day else raw.isoformat(sep=" ", timespec="seconds")
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < _EXACT else repr(raw)
    if isinstance(raw, int):
        return str(raw)
    if raw.isascii() and raw.isprintable() and "  " not in raw and not raw.startswith(("=", " =")):
        return raw.strip()  # most cells, and a tenth of the time
    text = unicodedata.normalize("NFKC", raw)
    if found := _QUOTED.fullmatch(text.strip()):
        text = found[1]
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def read_text(raw: Raw) -> str:
    text = as_text(raw)
    _refuse_errors(text)
    if isinstance(raw, str) and raw.lstrip().startswith("=") and not _QUOTED.fullmatch(raw.strip()):
        raise CellError("formula")
    return text


def read_account(raw: Raw) -> str:
    """An account number as it is written. Raises CellError."""
    if isinstance(raw, float) and not raw.is_integer():
        raise CellError("account_unclear")
    if isinstance(raw, bool | date):
        raise CellError("account_unclear")
    if isinstance(raw, int | float) and abs(raw) >= _EXACT:
        raise CellError("account_mangled")
    text = read_text(raw)
    if _EXPONENT.fullmatch(text):
        raise CellError("account_mangled")
    key = account_key(text)
    if not key or len(text) > _LONGEST_ACCOUNT or not any(letter.isdigit() for letter in key):
        raise CellError("account_unclear")
    return text


def read_money(raw: Raw, style: Style = Style()) -> Decimal:
    """An amount to the cent. Raises CellError."""
    if isinstance(raw, bool | date):
        raise CellError("money_unclear")
    if isinstance(raw, int | float):
        try:
            return _to_the_cent(Decimal(repr(raw)))
        except InvalidOperation:
            raise CellError("money_unclear") from None
    text = read_text(raw)
    if text.lower().replace("–", "-").replace("—", "-") in _NOTHING:
        return Decimal("0.00")
    digits, is_negative = _unsigned(text)
    form = _COMMA if style.decimal_comma else _POINT
    if not any(letter.isdigit() for letter in digits) or not form.fullmatch(digits):
        raise CellError("money_unclear")
    if style.decimal_comma:
        digits = digits.replace(".", "").replace(",", ".")
    amount = _to_the_cent(Decimal(digits.replace(",", "")))
    return -amount if is_negative and amount else amount


def read_integer(raw: Raw) -> int:
    """A whole number. Raises CellError."""
    if isinstance(raw, bool | date):
        raise CellError("integer_unclear")
    if isinstance(raw, float):
        if not raw.is_integer() or abs(raw) >= _EXACT:
            raise CellError("integer_unclear")
        return int(raw)
    text = read_text(raw)
    if not re.fullmatch(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.0*)?", text, re.ASCII):
        raise CellError("integer_unclear")
    return int(text.partition(".")[0].replace(",", ""))


def read_date(raw: Raw, style: Style = Style()) -> date:
    """A day. Raises CellError: ``date_ambiguous`` where only the order of day and month is in doubt."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, bool):
        raise CellError("date_unclear")
    if isinstance(raw, int | float):
        return _of_serial(float(raw))
    text = read_text(raw)
    if found := _ISO.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _WORDS.fullmatch(text):
        return _day(_year(found[5]), _month(found[2] or found[3]), int(found[1] or found[4]))
    if found := _PARTS.fullmatch(text):
        return _of_parts(int(found[1]), int(found[2]), _year(found[3]), style.order)
    if re.fullmatch(r"\d{5}(?:\.0+)?", text, re.ASCII):
        return _of_serial(float(text))
    raise CellError("date_unclear")


def order_shown(raw: Raw) -> Order:
    """What one cell tells of its column's order of day and month: a number above 12 is no month."""
    found = _PARTS.fullmatch(as_text(raw)) if isinstance(raw, str) else None
    if found is None:
        return ""
    first, second = int(found[1]), int(found[2])
    if first > 12 >= second > 0:
        return "dmy"
    return "mdy" if second > 12 >= first > 0 else ""


def decimals_shown(raw: Raw) -> Literal["", "comma", "point"]:
    """What one cell tells of how its column writes decimals. ``1,234`` alone tells thousands."""
    if not isinstance(raw, str):
        return ""
    digits, _is_negative = _unsigned(as_text(raw))
    if _SURELY_COMMA.fullmatch(digits) and _COMMA.fullmatch(digits):
        return "comma"
    return "point" if _SURELY_POINT.match(digits) and _POINT.fullmatch(digits) else ""


def _unsigned(text: str) -> tuple[str, bool]:
    """(digits and their separators, whether what stands around them makes it negative)."""
    text = text.replace("−", "-").replace("–", "-").strip()
    is_negative = False
    if text[-2:].upper() in ("CR", "DR"):
        is_negative = text[-2:].upper() == "CR"
        text = text[:-2].strip()
    text = _CURRENCY.sub("", text, count=1).strip()
    if text.startswith("(") and text.endswith(")"):
        is_negative, text = not is_negative, text[1:-1].strip()
        text = _CURRENCY.sub("", text, count=1).strip()
    if text.startswith("-") or text.endswith("-"):
        is_negative = not is_negative
        text = text[1:] if text.startswith("-") else text[:-1]
    elif text.startswith("+"):
        text = text[1:]
    text = _CURRENCY.sub("", text, count=1).strip()
    return (text.replace(" ", "") if _SPACED.fullmatch(text) else text), is_negative


def _to_the_cent(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise CellError("money_unclear")
    if abs(amount) >= LARGEST:
        raise CellError("money_too_large")
    cents = amount.quantize(_CENT)
    if abs(amount - cents) > _NOISE:
        raise CellError("money_precision")
    return cents + 0  # never -0.00


def _of_serial(serial: float) -> date:
    # With a fraction it is more likely an amount in the wrong column than a day with an hour.
    if not _FIRST_SERIAL <= serial < _LAST_SERIAL or not serial.is_integer():
        raise CellError("date_unclear")
    return _SERIAL_ZERO + timedelta(days=int(serial))


def _of_parts(first: int, second: int, year: int, order: Order) -> date:
    if first > 12 or second > 12 or first == second:
        # One reading at most, and whatever the column does the other way is this cell's error.
        shown: Order = "dmy" if first > 12 else "mdy"
        if order and first != second and shown != order:
            raise CellError("date_unclear")
        order = shown
    if not order:
        raise CellError("date_ambiguous")
    day, month = (first, second) if order == "dmy" else (second, first)
    return _day(year, month, day)


def _day(year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise CellError("date_unclear") from None
    if not 1900 <= year <= 2119:
        raise CellError("date_unclear")
    return found


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return 2000 + year if year < 70 else 1900 + year


def _month(word: str) -> int:
    word = "sep" if word.lower() == "sept" else word.lower()
    for number, name in enumerate(_MONTHS, start=1):
        if name.startswith(word):
            return number
    raise CellError("date_unclear")


def _refuse_errors(text: str) -> None:
    if text.upper() in _ERRORS:
        raise CellError("cell_error")
