"""What a row of a file of accounts says, and what is wrong with it by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.policies.identifiers import email_key, member_number_key, mobile_key, plain

# field → how the heading of its column may be written, folded to letters.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "account_no": ("accountno", "accountnumber", "account", "membershipno", "membershipnumber"),
    "category": ("category", "membershipcategory", "type"),
    "standing": ("standing", "status"),
    "valid_to": ("validto", "validuntil", "expiry", "expires"),
    "member_no": ("memberno", "membernumber", "member"),
    "relation": ("relation", "relationship", "role"),
    "first_name": ("firstname", "givenname", "first"),
    "last_name": ("lastname", "surname", "familyname", "last"),
    "birth_date": ("birthdate", "dateofbirth", "birthday", "dob"),
    "email": ("email", "emailaddress", "mail"),
    "mobile": ("mobile", "mobilenumber", "mobileno", "cellphone", "phone"),
    "can_book": ("canbook", "maybook", "books"),
    "can_view_statements": ("canviewstatements", "statements", "mayviewstatements"),
}
REQUIRED: Final = ("account_no", "category", "first_name", "last_name")
RELATIONS: Final[Mapping[str, str]] = {
    "": "principal",
    "principal": "principal",
    "member": "principal",
    "spouse": "spouse",
    "wife": "spouse",
    "husband": "spouse",
    "dependent": "dependent",
    "dependant": "dependent",
    "child": "dependent",
    "son": "dependent",
    "daughter": "dependent",
}
STANDINGS: Final = frozenset({"good", "delinquent", "suspended"})
_TRUE: Final = frozenset({"yes", "y", "true", "1", "x"})
_FALSE: Final = frozenset({"no", "n", "false", "0", "-"})
_DATE_FORMS: Final = ("%Y-%m-%d", "%m/%d/%Y", "%d %b %Y", "%d %B %Y")

Reasons = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Rights:
    can_book: bool
    can_view_statements: bool


def usual_rights(relation: str) -> Rights:
    """What the people of a household may do unless the file or the form says otherwise.

    A principal books and reads the statements, a spouse books; a dependent does neither until staff say
    so, and then for themselves only.
    """
    return Rights(can_book=relation != "dependent", can_view_statements=relation == "principal")


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One row, read. ``None`` is what the file leaves open: then an account keeps what it has."""

    account_no: str
    category: str
    member_no: str
    relation: str
    first_name: str
    last_name: str
    standing: str | None = None
    valid_to: date | None = None
    birth_date: date | None = None
    email: str | None = None
    mobile: str | None = None
    can_book: bool | None = None
    can_view_statements: bool | None = None


def columns_of(heading: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """(field → its column, headings that are no field). Of two columns of a field the first counts."""
    found: dict[str, int] = {}
    unknown = []
    names = {name: field for field, written in COLUMNS.items() for name in written}
    for number, text in enumerate(heading):
        field = names.get(re.sub(r"[^a-z]", "", plain(text).lower()))
        if field is None:
            if text.strip():
                unknown.append(text.strip()[:60])
        else:
            found.setdefault(field, number)
    return found, unknown


def read_row(values: Mapping[str, str], *, region: str) -> tuple[AccountRow | None, Reasons]:
    """A row as it is meant, or every reason why it cannot be."""
    reasons: Reasons = []
    text = {field: plain(values.get(field, "")) for field in COLUMNS}
    for field in REQUIRED:
        if not text[field]:
            reasons.append((field, str(_("This is missing. Fill it in."))))
    relation = RELATIONS.get(text["relation"].lower())
    if relation is None:
        reasons.append(("relation", str(_("Write principal, spouse or dependent."))))
    if text["member_no"] and not member_number_key(text["member_no"]):
        reasons.append(("member_no", str(_("This is no member number. Correct it."))))
    standing = text["standing"].lower() or None
    if standing is not None and standing not in STANDINGS:
        reasons.append(("standing", str(_("Write good, delinquent or suspended."))))
    email, mobile = _address(text, reasons, region)
    row = AccountRow(
        account_no=text["account_no"],
        category=text["category"],
        member_no=text["member_no"],
        relation=relation or "",
        first_name=text["first_name"][:80],
        last_name=text["last_name"][:80],
        standing=standing,
        valid_to=_date("valid_to", text, reasons),
        birth_date=_date("birth_date", text, reasons),
        email=email,
        mobile=mobile,
        can_book=_truth("can_book", text, reasons),
        can_view_statements=_truth("can_view_statements", text, reasons),
    )
    return (None if reasons else row), reasons


def is_of_household(values: Mapping[str, str]) -> bool:
    """Whether a row is of somebody who hangs on a principal."""
    return RELATIONS.get(plain(values.get("relation", "")).lower(), "") != "principal"


def _address(text: Mapping[str, str], reasons: Reasons, region: str) -> tuple[str | None, str | None]:
    email, mobile = email_key(text["email"]) or None, mobile_key(text["mobile"], region) or None
    if text["email"] and email is None:
        reasons.append(("email", str(_("This is no e-mail address. Correct it or leave it empty."))))
    if text["mobile"] and mobile is None:
        detail = _("This is no mobile number. Give one without an extension, or leave it empty.")
        reasons.append(("mobile", str(detail)))
    return email, mobile


def _date(field: str, text: Mapping[str, str], reasons: Reasons) -> date | None:
    written = text[field]
    if not written:
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    reasons.append((field, str(_("This is no date. Write one such as 1980-05-17."))))
    return None


def _truth(field: str, text: Mapping[str, str], reasons: Reasons) -> bool | None:
    written = text[field].lower()
    if not written:
        return None
    if written in _TRUE:
        return True
    if written in _FALSE:
        return False
    reasons.append((field, str(_("Write yes or no."))))
    return None


def next_number(*, prefix: str, width: int, taken: int) -> str:
    """The number after ``taken``: prefix and at least ``width`` digits."""
    return f"{prefix}{taken + 1:0{width}d}"


def household_number(principal_no: str, *, suffixes: str, taken: frozenset[str]) -> str | None:
    """The first free number of a household beside its principal's: the same one with a letter after it.

    ``taken`` holds keys (upper case, letters and digits only). None when the letters are used up.
    """
    for letter in suffixes:
        number = f"{principal_no}{letter}"
        if member_number_key(number) not in taken:
            return number
    return None
