"""Finance's member master: households and their people, through the one service of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.models import Member, Membership, MembershipCategory, Relation
from accounts.policies.identifiers import member_number_key
from accounts.services.household import (
    change_member,
    change_membership,
    deactivate_user,
    register_member,
    register_membership,
)
from bcc.core import clock
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError
from documents.models import BatchKind, ImportBatch, ImportItem, KindRule, Severity
from documents.parsers.names import account_key
from documents.parsers.tables import Column
from documents.policies.batches import Outcome
from documents.services.batches.kinds.base import Finding, Piece, settle
from documents.services.batches.kinds.tables import ACCOUNT_TITLES, TableHandler
from documents.services.batches.values import date_in

_RELATIONS: Final[Mapping[str, str]] = {
    "principal": Relation.PRINCIPAL,
    "member": Relation.PRINCIPAL,
    "spouse": Relation.SPOUSE,
    "wife": Relation.SPOUSE,
    "husband": Relation.SPOUSE,
    "dependent": Relation.DEPENDENT,
    "child": Relation.DEPENDENT,
    "son": Relation.DEPENDENT,
    "daughter": Relation.DEPENDENT,
}
_PERSON: Final = ("first_name", "last_name", "relation", "birth_date", "email", "mobile")
_HOUSEHOLD: Final = ("category", "valid_to")


class MemberMaster(TableHandler):
    kind = BatchKind.MEMBER_MASTER
    expects = gettext_lazy("CSV or XLSX with account, member number, first name, last name and category.")
    columns = (
        Column("account_no", ACCOUNT_TITLES, "account"),
        Column("member_no", ("member number", "member no", "member id", "card no"), "account"),
        Column("first_name", ("first name", "given name")),
        Column("last_name", ("last name", "surname", "family name")),
        Column("relation", ("relation", "relationship", "type"), required=False),
        Column("birth_date", ("birth date", "date of birth", "birthday", "dob"), "date", required=False),
        Column("email", ("email", "e mail", "email address"), required=False),
        Column("mobile", ("mobile", "mobile no", "mobile number", "cellphone"), required=False),
        Column("category", ("category", "membership category", "membership type", "class")),
        Column("valid_to", ("valid to", "valid until", "expiry", "expiry date"), "date", required=False),
    )

    def number_of(self, values: Mapping[str, Any]) -> str:
        return member_number_key(str(values.get("member_no") or ""))

    def check(self, batch: ImportBatch, items: Sequence[ImportItem], rule: KindRule) -> None:
        """What each row would do is found out by doing it, and undoing all of it again."""
        known = _Known(items)
        twice = _numbers_twice(batch, items)
        for item in items:
            problem = item.values.get("problem")
            if problem:
                settle(item, [Finding(Severity.ERROR, problem["code"], problem["detail"])])
            elif item.ordinal in twice:
                settle(item, [twice[item.ordinal]])
            else:
                item.before, changed = known.difference(item)
                settle(item, [] if changed else [Finding(Severity.NOTICE, "no_change")])
        self._rehearse(known, [item for item in items if item.outcome == Outcome.OPEN])

    def _rehearse(self, known: _Known, items: Sequence[ImportItem]) -> None:
        if not items:
            return
        with transaction.atomic():
            for item in items:
                refused = _refusal(lambda item=item: _apply(known, item, now=clock.now()))
                if refused:
                    settle(item, [Finding(Severity.ERROR, "not_master", refused)])
            transaction.set_rollback(True)

    def file(self, batch: ImportBatch, pieces: Sequence[Piece], *, by: Actor, now: datetime) -> None:
        known = _Known([piece.item for piece in pieces])
        for item in (piece.item for piece in pieces):
            item.before, changed = known.difference(item)
            if not changed:
                settle(item, [Finding(Severity.NOTICE, "no_change")])
                continue
            refused = _refusal(lambda item=item: _apply(known, item, now=now))
            if refused:
                settle(item, [Finding(Severity.ERROR, "not_master", refused)])
            else:
                item.outcome = Outcome.FILED

    def take_back(
        self, batch: ImportBatch, items: Sequence[ImportItem], *, by: Actor, now: datetime
    ) -> list[str]:
        """People and households changed are as before; new ones are closed, for numbers are never reused."""
        known = _Known(items)
        left: list[str] = []
        for item in reversed(items):
            member = known.member(item)
            if member is None:
                continue
            refused = _refusal(lambda item=item, member=member: _restore(known, item, member, now))
            if refused:
                left.append(f"{member.member_no}: {refused}")
        return left


class _Known:
    """The people and households that a chunk speaks of, and those it makes as it goes."""

    def __init__(self, items: Sequence[ImportItem]) -> None:
        numbers = [item.number for item in items]
        members = Member.objects.select_related("membership__category", "user")
        self._members = {one.member_no_key: one for one in members.filter(member_no_key__in=numbers)}
        wanted = {account_key(str(item.values.get("account_no") or "")) for item in items}
        everyone = Membership.objects.order_by("pk").values_list("pk", "account_no")
        ids = [pk for pk, account_no in everyone if account_key(account_no) in wanted]
        households = Membership.objects.select_related("category").filter(pk__in=ids)
        self.memberships = {account_key(one.account_no): one for one in households}
        self.categories = {
            account_key(text): one
            for one in MembershipCategory.objects.all()
            for text in (one.name, one.code)
        }

    def member(self, item: ImportItem) -> Member | None:
        return self._members.get(item.number)

    def membership(self, item: ImportItem) -> Membership | None:
        return self.memberships.get(account_key(str(item.values.get("account_no") or "")))

    def category(self, item: ImportItem) -> MembershipCategory | None:
        return self.categories.get(account_key(str(item.values.get("category") or "")))

    def difference(self, item: ImportItem) -> tuple[dict[str, str], bool]:
        """(what is there now of what the row says, whether the row changes any of it)."""
        member, membership = self.member(item), self.membership(item)
        now_there: dict[str, str] = {}
        if membership is not None:
            now_there["category"] = membership.category.name
            now_there["valid_to"] = membership.valid_to.isoformat() if membership.valid_to else ""
        if member is not None:
            now_there |= _person(member)
        said = _said(item, self.category(item))
        changed = member is None or any(said[name] != now_there.get(name, "") for name in said)
        return now_there, changed


def _person(member: Member) -> dict[str, str]:
    user = member.user
    return {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "relation": member.relation,
        "birth_date": member.birth_date.isoformat() if member.birth_date else "",
        "email": user.email if user else "",
        "mobile": str(user.mobile) if user else "",
    }


def _said(item: ImportItem, category: MembershipCategory | None) -> dict[str, str]:
    """What the row gives, in the words of what is compared; a cell left empty says nothing."""
    given = {name: str(item.values.get(name) or "").strip() for name in (*_PERSON, *_HOUSEHOLD)}
    if given["relation"]:
        given["relation"] = _RELATIONS.get(given["relation"].lower(), given["relation"])
    if category is not None:
        given["category"] = category.name
    return {name: text for name, text in given.items() if text}


def _apply(known: _Known, item: ImportItem, *, now: datetime) -> None:
    """Do what the row says. Raises InvalidError as the services of accounts do."""
    category = known.category(item)
    if category is None:
        raise InvalidError(errors={"category": [("unknown", gettext_lazy("There is no such category."))]})
    said = _said(item, category)
    membership = _household(known, item, category, now)
    member = known.member(item)
    if said.get("relation", "principal") not in Relation.values:
        raise InvalidError(errors={"relation": [("unknown", gettext_lazy("There is no such relation."))]})
    if member is None:
        member = register_member(
            membership=membership,
            member_no=str(item.values["member_no"]),
            first_name=said.get("first_name", ""),
            last_name=said.get("last_name", ""),
            relation=said.get("relation", Relation.PRINCIPAL),
            birth_date=date_in(said, "birth_date"),
            email=said.get("email", ""),
            mobile=said.get("mobile", ""),
            now=now,
        )
        known._members[item.number] = member
    elif member.membership_id != membership.pk:
        detail = gettext_lazy("This member number belongs to another account.")
        raise InvalidError(errors={"member_no": [("other_account", detail)]})
    else:
        _change(member, {**_person(member), **said}, now)
    item.membership = membership


def _household(known: _Known, item: ImportItem, category: MembershipCategory, now: datetime) -> Membership:
    membership, valid_to = known.membership(item), date_in(item.values, "valid_to")
    if membership is None:
        account_no = str(item.values["account_no"])
        membership = register_membership(account_no=account_no, category=category, valid_to=valid_to)
        known.memberships[account_key(account_no)] = membership
        return membership
    valid_to = valid_to or membership.valid_to
    if (membership.category_id, membership.valid_to) != (category.pk, valid_to):
        change_membership(
            membership=membership,
            category=category,
            standing=membership.standing,
            valid_to=valid_to,
            now=now,
        )
    return membership


def _change(member: Member, said: Mapping[str, str], now: datetime) -> None:
    has_account = member.user is not None
    change_member(
        member=member,
        relation=said["relation"],
        first_name=said["first_name"],
        last_name=said["last_name"],
        birth_date=date_in(said, "birth_date"),
        can_book=member.can_book,
        can_view_statements=member.can_view_statements,
        email=said["email"] if has_account else "",
        mobile=said["mobile"] if has_account else "",
        now=now,
    )


def _restore(known: _Known, item: ImportItem, member: Member, now: datetime) -> None:
    membership, before = member.membership, item.before
    if "last_name" in before:
        _change(member, before, now)
    elif member.user is not None:
        deactivate_user(user=member.user, now=now)
    if "category" in before:
        category = known.categories.get(account_key(before["category"]), membership.category)
        valid_to = date_in(before, "valid_to")
    else:
        category, valid_to = membership.category, clock.local_date(now) - timedelta(days=1)
    change_membership(
        membership=membership,
        category=category,
        standing=membership.standing,
        valid_to=valid_to,
        now=now,
    )


def _refusal(work: Any) -> str:
    """Do ``work`` whole or not at all; why it was refused, or nothing."""
    try:
        with transaction.atomic():
            work()
    except InvalidError as error:
        return "; ".join(str(detail) for pairs in error.errors.values() for _code, detail in pairs)
    return ""


def _numbers_twice(batch: ImportBatch, items: Sequence[ImportItem]) -> dict[int, Finding]:
    """The items whose member number stands in the batch before: with the same row, or with another."""
    numbers = {item.number for item in items if item.number}
    rows = ImportItem.objects.filter(batch=batch, number__in=numbers).exclude(reason="replaced")
    rows = rows.exclude(outcome=Outcome.QUARANTINED, decision="discard")
    first: dict[str, tuple[int, str]] = {}
    for number, ordinal, sha256 in rows.order_by("ordinal").values_list("number", "ordinal", "sha256"):
        first.setdefault(number, (ordinal, sha256))
    found = {}
    for item in items:
        ordinal, sha256 = first.get(item.number, (item.ordinal, item.sha256))
        if ordinal < item.ordinal:
            same = sha256 == item.sha256
            found[item.ordinal] = (
                Finding(Severity.NOTICE, "duplicate_in_batch")
                if same
                else Finding(Severity.ERROR, "twice_in_batch", f"#{ordinal}")
            )
    return found
