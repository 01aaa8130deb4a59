"""How batches and items are written on the pages of the back office."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member, Membership, Relation
from documents.models import ImportBatch, ImportItem
from documents.policies.batches import BatchState, Decision, Outcome
from documents.policies.reasons import sentence

STEPS = (
    (BatchState.RECEIVED, gettext_lazy("Received")),
    (BatchState.IDENTIFIED, gettext_lazy("Read")),
    (BatchState.VALIDATED, gettext_lazy("Checked")),
    (BatchState.REVIEW, gettext_lazy("Review")),
    (BatchState.APPROVED, gettext_lazy("Approved")),
    (BatchState.PUBLISHED, gettext_lazy("Published")),
)
FIELD_LABELS: Mapping[str, Any] = {
    "account_no": gettext_lazy("account"),
    "amount": gettext_lazy("amount"),
    "birth_date": gettext_lazy("birth date"),
    "category": gettext_lazy("category"),
    "charges": gettext_lazy("charges"),
    "description": gettext_lazy("description"),
    "due": gettext_lazy("amount due"),
    "due_on": gettext_lazy("due on"),
    "email": gettext_lazy("e-mail"),
    "first_name": gettext_lazy("first name"),
    "kind": gettext_lazy("kind"),
    "last_name": gettext_lazy("last name"),
    "member_no": gettext_lazy("member number"),
    "mobile": gettext_lazy("mobile"),
    "name": gettext_lazy("name"),
    "number": gettext_lazy("number"),
    "outlet": gettext_lazy("where"),
    "pages": gettext_lazy("pages"),
    "payments": gettext_lazy("payments"),
    "period": gettext_lazy("month"),
    "posted_on": gettext_lazy("date"),
    "previous": gettext_lazy("previous balance"),
    "relation": gettext_lazy("relation"),
    "standing": gettext_lazy("standing"),
    "valid_to": gettext_lazy("valid to"),
    "version": gettext_lazy("version"),
}
MONEY: Final = frozenset({"amount", "charges", "due", "payments", "previous"})
# Kept for the machine, not for the reader.
_HIDDEN = frozenset({"raw", "problem", "why", "clean", "active", "document", "document_kind", "page_account"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item: what the file says and, where it differs, what is there now."""

    label: str
    value: str
    before: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An item as a row of the page. ``owner`` is the principal of the membership that it goes to."""

    item: ImportItem
    owner: str
    fields: Sequence[Field]
    why: str
    outcome: str
    tone: str
    has_page: bool


def steps_of(batch: ImportBatch) -> list[dict[str, Any]]:
    """The way, with what is behind and where the batch stands."""
    order = [state for state, _label in STEPS]
    state = BatchState(batch.state)
    at = BatchState.APPROVED if state == BatchState.PUBLISHING else state
    stands = order.index(at) if at in order else -1
    return [
        {
            "label": label,
            "is_done": number < stands or at == BatchState.PUBLISHED,
            "is_here": number == stands,
        }
        for number, (_state, label) in enumerate(STEPS)
    ]


def shown_items(items: Iterable[ImportItem]) -> list[Shown]:
    """Rows of the page, with the names of the principals in one query."""
    rows = list(items)
    owners = owners_of(one.membership_id for one in rows if one.membership_id is not None)
    return [_shown(item, owners.get(item.membership_id or 0, "")) for item in rows]


def owners_of(membership_ids: Iterable[int]) -> dict[int, str]:
    people = Member.objects.filter(membership_id__in=list(membership_ids), relation=Relation.PRINCIPAL)
    return {one.membership_id: one.full_name for one in people}


def _shown(item: ImportItem, owner: str) -> Shown:
    return Shown(
        item=item,
        owner=owner,
        fields=fields_of(item),
        why=reason_text(item),
        outcome=outcome_text(item),
        tone=_tone(item),
        has_page=bool(item.first_page),
    )


def fields_of(item: ImportItem) -> list[Field]:
    names = [name for name in item.values if name not in _HIDDEN]
    names += [name for name in item.before if name not in item.values and name not in _HIDDEN]
    found = []
    for name in names:
        value = _amount(name, str(item.values.get(name, "")))
        before = _amount(name, str(item.before.get(name, "")))
        if value or before:
            changed = name in item.before and before != value and name not in ("version", "pages")
            found.append(Field(str(FIELD_LABELS.get(name, name)), value, before, changed))
    return found


def raw_fields(item: ImportItem) -> list[tuple[str, str]]:
    """The cells of a row as they came, by the names of the columns."""
    raw: Mapping[str, str] = item.values.get("raw") or {}
    return [(str(FIELD_LABELS.get(name, name)), text) for name, text in raw.items()]


def _amount(name: str, text: str) -> str:
    """An amount with its thousands apart; anything else as it is."""
    if name not in MONEY or not text:
        return text
    return number_format(Decimal(text), 2, force_grouping=True)


def reason_text(item: ImportItem) -> str:
    """Why it waits or was left out, and what was found."""
    if not item.reason:
        return ""
    return f"{sentence(item.reason)} {item.detail}".strip()


def outcome_text(item: ImportItem) -> str:
    """How it stands, in a word or two."""
    if item.outcome == Outcome.FILED:
        return _("published")
    if item.outcome == Outcome.DUPLICATE:
        return _("duplicate")
    if item.outcome == Outcome.QUARANTINED:
        return _("left out") if item.decision == Decision.DISCARD else _("waits")
    if item.decision in (Decision.ACCEPT, Decision.REASSIGN):
        return _("accepted, to publish") if item.decision == Decision.ACCEPT else _("given, to publish")
    return _("to publish")


def _tone(item: ImportItem) -> str:
    if item.outcome == Outcome.QUARANTINED:
        return "quiet" if item.decision == Decision.DISCARD else "waits"
    return {Outcome.FILED: "good", Outcome.OPEN: "open", Outcome.DUPLICATE: "quiet"}[Outcome(item.outcome)]


def membership_line(membership: Membership) -> str:
    owner = owners_of([membership.pk]).get(membership.pk, "")
    return f"{membership.account_no} {owner}".strip()
