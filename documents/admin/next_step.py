"""What to do next with a batch, in one sentence, and how to undo what was done."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from documents.models import BatchKind, ImportBatch
from documents.policies.batches import BatchState
from documents.selectors.batches import Counts


@dataclass(frozen=True, slots=True)
class NextStep:
    """``does`` names the button that is meant, where there is one; ``undo`` how to go back."""

    text: str
    undo: str = ""
    does: str = ""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks at the page. ``is_uploader``: and the rule asks for another person."""

    may_upload: bool
    may_approve: bool
    is_uploader: bool


def next_step(batch: ImportBatch, counts: Counts, viewer: Viewer) -> NextStep:
    state = BatchState(batch.state)
    if state in (BatchState.RECEIVED, BatchState.IDENTIFIED, BatchState.VALIDATED):
        return NextStep(
            _("The files are being read and checked. Nothing is asked of you: this page moves by itself.")
        )
    if state in (BatchState.APPROVED, BatchState.PUBLISHING):
        return NextStep(
            _("It is being published. Nothing is asked of you: this page moves by itself."),
            _("Once it is published you can roll it back."),
        )
    if state == BatchState.REVIEW:
        return _in_review(batch, counts, viewer)
    if state == BatchState.PUBLISHED:
        return _published(batch, counts, viewer)
    if state == BatchState.FAILED:
        return NextStep(
            _("It could not go on: %(why)s Then try again, or reject it.") % {"why": batch.failure_detail},
            does="reopen",
        )
    if state == BatchState.REJECTED:
        return _over(_("It was rejected, and nothing of it was published."), viewer)
    return _over(_("It was rolled back: members see what they saw before it."), viewer)


def _over(what: str, viewer: Viewer) -> NextStep:
    if viewer.may_upload:
        return NextStep(f"{what} {_('Upload other files, or take it up again.')}", does="reopen")
    return NextStep(f"{what} {_('A colleague who uploads can take it up again.')}")


def _in_review(batch: ImportBatch, counts: Counts, viewer: Viewer) -> NextStep:
    undo = _("Nothing is published yet. Reject the batch to drop all of it.")
    if batch.is_trial:
        text = _("This is a trial: look at what would be published. Take it up for real to go on.")
        return NextStep(text, undo, "real")
    if not is_reconciled(batch, counts):
        text = _(
            "The control figures do not agree. Correct them, bring back corrected rows, or reject the batch."
        )
        return NextStep(text, undo, "control")
    if counts.waiting and viewer.may_upload:
        text = ngettext(
            "One item waits in quarantine: look at it, then accept it, give it away or leave it out.",
            "%(count)d items wait in quarantine: look at each, then accept it, give it away or leave it out.",
            counts.waiting,
        ) % {"count": counts.waiting}
        more = _("What you leave there is not published; the rest can be approved all the same.")
        return NextStep(f"{text} {more}", undo, "waiting")
    if not counts.open and not counts.filed:
        return NextStep(_("There is nothing to publish. Reject the batch."), undo, "reject")
    if viewer.may_approve and not viewer.is_uploader:
        text = ngettext(
            "Compare a few items with the original, then approve: one item is published.",
            "Compare a few items with the original, then approve: %(count)d items are published.",
            counts.open,
        ) % {"count": counts.open}
        return NextStep(text, undo, "approve")
    return NextStep(
        _("Your part is done. Ask a colleague who approves to look at it: it needs a second person."), undo
    )


def _published(batch: ImportBatch, counts: Counts, viewer: Viewer) -> NextStep:
    undo = _("Roll back takes all of it away again and shows what was there before.")
    if counts.waiting and viewer.may_upload:
        text = ngettext(
            "Published. One item is still in quarantine: take the batch up again to decide about it.",
            "Published. %(count)d items are still in quarantine: take the batch up again to decide on them.",
            counts.waiting,
        ) % {"count": counts.waiting}
        return NextStep(text, undo, "reopen")
    told = _("Published, and the members are told.")
    if batch.kind == BatchKind.BALANCES and viewer.may_upload:
        more = _(
            "Where Finance sends no statements as PDF, render those of the month from these rows, below."
        )
    else:
        more = _("There is nothing left to do here.")
    return NextStep(f"{told} {more}", undo)


def is_reconciled(batch: ImportBatch, counts: Counts) -> bool:
    """Whether the items are what Finance says, where it said something."""
    count_agrees = batch.control_count is None or batch.control_count == counts.counted
    total_agrees = batch.control_total is None or batch.control_total == counts.amount
    return counts.is_reconciled and count_agrees and total_agrees
