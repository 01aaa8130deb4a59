"""What people say of an item in quarantine: accept it, give it to another account, discard it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Membership
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import InvalidError
from documents.models import ImportBatch, ImportItem, Severity
from documents.policies.batches import BatchState, Decision, Outcome
from documents.services.batches.checking import WRITTEN, check_one
from documents.services.batches.errors import BatchMovedOnError, NotAcceptableError, NotWaitingError

NOTE_LENGTH: Final = 300
_COLUMNS: Final = (*WRITTEN, "membership", "decision", "decided_by", "decided_at", "decision_note")


@transactions.writes
def accept_item(*, item: ImportItem, by: Actor, now: datetime, reason: str) -> ImportItem:
    """A person has looked at what waits, and it is right: it is filed with the next publication.

    Raises NotAcceptableError for what is wrong in itself, NotWaitingError for what is decided already.
    """
    item = _waiting(item)
    if item.severity != Severity.WAITS:
        raise NotAcceptableError
    _refuse_second(item)
    return _decide(item, Decision.ACCEPT, by, now, reason)


@transactions.writes
def reassign_item(
    *, item: ImportItem, membership: Membership, by: Actor, now: datetime, reason: str
) -> ImportItem:
    """It is another account's: checked again for that one, it may wait once more for another reason."""
    item = _waiting(item)
    item.membership = membership
    return _decide(item, Decision.REASSIGN, by, now, reason)


@transactions.writes
def discard_item(*, item: ImportItem, by: Actor, now: datetime, reason: str) -> ImportItem:
    """It is never filed, and stays in the batch with the reason."""
    item = _locked(item)
    if item.outcome not in (Outcome.OPEN, Outcome.QUARANTINED) or item.decision == Decision.DISCARD:
        raise NotWaitingError
    item.outcome = Outcome.QUARANTINED
    return _decide(item, Decision.DISCARD, by, now, reason)


@transactions.writes
def reconsider_item(*, item: ImportItem, by: Actor, now: datetime, reason: str) -> ImportItem:
    """Take a decision back, before anything came of it: the item is checked as if nobody had said a word."""
    item = _locked(item)
    if (
        item.decision == Decision.NONE
        or item.outcome == Outcome.FILED
        or item.reason in ("replaced", "cover_page")
    ):
        raise NotWaitingError
    item.membership_id = item.found_id
    return _decide(item, Decision.NONE, by, now, reason)


def _locked(item: ImportItem) -> ImportItem:
    """The item as it stands, under the lock of its batch's row, which must be in review."""
    in_review = ImportBatch.objects.filter(pk=item.batch_id, state=BatchState.REVIEW)
    # Who approves at this moment waits or was first, and who approves what they saw before is told so.
    if not in_review.update(version=F("version") + 1):
        raise BatchMovedOnError(
            _("Decisions are taken while the batch is in review. Take it up again first.")
        )
    return ImportItem.objects.select_related("batch", "membership").get(pk=item.pk)


def _waiting(item: ImportItem) -> ImportItem:
    item = _locked(item)
    if item.outcome != Outcome.QUARANTINED or item.decision == Decision.DISCARD:
        raise NotWaitingError
    return item


def _decide(item: ImportItem, decision: Decision, by: Actor, now: datetime, reason: str) -> ImportItem:
    if not reason.strip():
        raise InvalidError(
            errors={"reason": [("blank", _("Say why. It stands in the history that others read."))]}
        )
    item.decision, item.decided_by_id, item.decided_at = decision, by.user_id, now
    item.decision_note = reason.strip()[:NOTE_LENGTH]
    if decision != Decision.DISCARD:
        # Below what was decided about another of the same account counts as it is in the rows.
        ImportItem.objects.filter(pk=item.pk).update(decision=decision, membership=item.membership)
        check_one(item)
    item.save(update_fields=_COLUMNS)
    return item


def _refuse_second(item: ImportItem) -> None:
    """Of two that are for the same, one is filed: the other is discarded first."""
    if item.reason != "twice_in_batch":
        return
    others = ImportItem.objects.filter(
        batch_id=item.batch_id, membership=item.membership, number=item.number, outcome=Outcome.OPEN
    ).exclude(pk=item.pk)
    if others.exists():
        raise NotAcceptableError(_("Another item for the same is to be filed. Discard that one first."))
