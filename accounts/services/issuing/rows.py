"""One row: what it would do to what the club has, and doing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import AccountImportRow, Member, Membership, MembershipCategory, Relation, Standing
from accounts.policies.identifiers import member_number_key
from accounts.policies.issuing import AccountRow, Reasons, read_row, usual_rights
from accounts.services.household import (
    change_member,
    change_membership,
    register_member,
    register_membership,
)
from accounts.services.issuing.known import Household, Known
from bcc.core import clock, transactions
from bcc.core.errors import InvalidError

Verdict = AccountImportRow.Verdict


@dataclass(slots=True)
class Judged:
    """A row with what it would do. ``row`` is None where it cannot be read."""

    number: int
    values: Mapping[str, str]
    row: AccountRow | None
    verdict: Verdict
    reasons: Reasons
    member: Member | None = None


@dataclass(slots=True)
class _Seen:
    """What the rows before this one have claimed: key → the row's number."""

    numbers: dict[str, int] = field(default_factory=dict)
    people: dict[tuple[str, str], int] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
    principals: dict[str, int] = field(default_factory=dict)


def judge_rows(rows: Iterable[tuple[int, Mapping[str, str]]], *, known: Known, now: datetime) -> list[Judged]:
    """What each row would do, without doing anything. Rows are (number in the file, field → text)."""
    read = []
    for number, values in rows:
        row, reasons = read_row(values, region=settings.CLUB_PHONE_REGION)
        read.append(Judged(number, values, row, Verdict.REFUSED, reasons))
    principals = {
        one.row.account_no.casefold()
        for one in read
        if one.row is not None and one.row.relation == Relation.PRINCIPAL
    }
    seen = _Seen()
    for judged in read:
        if judged.row is not None:
            _judge(judged, judged.row, known=known, seen=seen, principals=principals, now=now)
    return read


@transactions.writes
def apply_row(row: AccountRow, *, known: Known, now: datetime) -> tuple[Member, Verdict]:
    """Do what a row says. Raises InvalidError naming each field that the club's rules refuse."""
    household = known.household(row.account_no)
    category = known.category(row.category)
    if category is None:
        raise InvalidError(errors={"category": [("unknown", _no_category(row))]})
    member = _member_meant(row, known, household)
    if household is None:
        # Known to later rows with its first member: until then this one may still be refused.
        opened = register_membership(
            account_no=row.account_no,
            category=category,
            standing=row.standing or Standing.GOOD,
            valid_to=row.valid_to,
        )
        household, changed = Household(opened), True
    else:
        changed = _change_household(household.membership, row, category, now)
    if member is None:
        return _register(row, household, known, now), Verdict.NEW
    if _facts_of(member) != (wanted := _wanted(member, row)):
        change_member(member=member, now=now, **wanted)
        changed = True
    return member, Verdict.CHANGED if changed else Verdict.SAME


def _judge(
    judged: Judged, row: AccountRow, *, known: Known, seen: _Seen, principals: set[str], now: datetime
) -> None:
    household = known.household(row.account_no)
    category = known.category(row.category)
    member = _member_meant(row, known, household)
    reasons: Reasons = []
    if category is None:
        reasons.append(("category", _no_category(row)))
    if member is not None and (household is None or member.membership_id != household.membership.pk):
        text = _("This number belongs to the account %(account)s. Who moves gets another number.")
        reasons.append(("member_no", text % {"account": member.membership.account_no}))
    reasons += _faults_of_relation(row, member, household, principals)
    reasons += _faults_of_addresses(row, member, known)
    reasons += _twice(judged.number, row, seen)
    if row.birth_date is not None and row.birth_date > clock.local_date(now):
        reasons.append(("birth_date", _("This date is still to come. Correct it.")))
    judged.reasons, judged.member = reasons, member
    if reasons:
        judged.verdict = Verdict.REFUSED
    elif member is None:
        judged.verdict = Verdict.NEW
    elif (
        household is not None
        and category is not None
        and _household_differs(household.membership, row, category)
    ) or _facts_of(member) != _wanted(member, row):
        judged.verdict = Verdict.CHANGED
    else:
        judged.verdict = Verdict.SAME


def _member_meant(row: AccountRow, known: Known, household: Household | None) -> Member | None:
    if row.member_no:
        return known.members.get(member_number_key(row.member_no))
    return None if household is None else known.namesake(household, row.first_name, row.last_name)


def _faults_of_relation(
    row: AccountRow, member: Member | None, household: Household | None, principals: set[str]
) -> Reasons:
    principal = None if household is None else household.principal
    if row.relation == Relation.PRINCIPAL:
        if principal is not None and (member is None or principal.pk != member.pk):
            text = _("This household has a principal, %(name)s. Choose another relation.")
            return [("relation", text % {"name": principal.member_no})]
    elif principal is None and row.account_no.casefold() not in principals:
        return [("relation", _("This household has no principal. Add a row for the principal."))]
    return []


def _faults_of_addresses(row: AccountRow, member: Member | None, known: Known) -> Reasons:
    reasons: Reasons = []
    for name, address in (("email", row.email), ("mobile", row.mobile)):
        holder = known.addresses.get(address) if address else None
        if holder is not None and (member is None or holder != member.pk):
            reasons.append((name, _("Somebody else has this already. Give another one, or leave it empty.")))
    return reasons


def _twice(number: int, row: AccountRow, seen: _Seen) -> Reasons:
    """What an earlier row of the same file has claimed."""
    reasons: Reasons = []

    def claim(held: dict[Any, int], key: Any, name: str) -> None:
        first = held.setdefault(key, number)
        if first != number:
            reasons.append((name, _("Row %(row)d of this file has the same.") % {"row": first}))

    account = row.account_no.casefold()
    if row.member_no:
        claim(seen.numbers, member_number_key(row.member_no), "member_no")
    else:
        claim(seen.people, (account, f"{row.first_name} {row.last_name}".casefold()), "last_name")
    for name, address in (("email", row.email), ("mobile", row.mobile)):
        if address:
            claim(seen.addresses, address, name)
    if row.relation == Relation.PRINCIPAL:
        claim(seen.principals, account, "relation")
    return reasons


def _register(row: AccountRow, household: Household, known: Known, now: datetime) -> Member:
    number = row.member_no or known.new_number(household, row.relation)
    if number is None:
        detail = _("There is no free number for this household. Give one.")
        raise InvalidError(errors={"member_no": [("no_number", detail)]})
    rights = usual_rights(row.relation)
    return register_member(
        membership=household.membership,
        member_no=number,
        relation=row.relation,
        first_name=row.first_name,
        last_name=row.last_name,
        birth_date=row.birth_date,
        can_book=rights.can_book if row.can_book is None else row.can_book,
        can_view_statements=(
            rights.can_view_statements if row.can_view_statements is None else row.can_view_statements
        ),
        email=row.email or "",
        mobile=row.mobile or "",
        now=now,
    )


def _change_household(
    membership: Membership, row: AccountRow, category: MembershipCategory, now: datetime
) -> bool:
    if not _household_differs(membership, row, category):
        return False
    change_membership(
        membership=membership,
        category=category,
        standing=row.standing or membership.standing,
        valid_to=row.valid_to or membership.valid_to,
        now=now,
    )
    return True


def _household_differs(membership: Membership, row: AccountRow, category: MembershipCategory) -> bool:
    return (
        membership.category_id != category.pk
        or row.standing not in (None, membership.standing)
        or row.valid_to not in (None, membership.valid_to)
    )


def _facts_of(member: Member) -> dict[str, Any]:
    user = member.user
    return {
        "relation": member.relation,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "birth_date": member.birth_date,
        "can_book": member.can_book,
        "can_view_statements": member.can_view_statements,
        "email": "" if user is None else user.email,
        "mobile": "" if user is None else str(user.mobile),
    }


def _wanted(member: Member, row: AccountRow) -> dict[str, Any]:
    """The facts of a member as the row has them; what it leaves open stays."""
    given: dict[str, str | date | bool | None] = {
        name: getattr(row, name) for name in _facts_of(member) if getattr(row, name) is not None
    }
    return _facts_of(member) | given


def _no_category(row: AccountRow) -> str:
    text = _("There is no category %(name)s. Write the code or the name of one.")
    return text % {"name": row.category[:40]}
