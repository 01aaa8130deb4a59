"""What the way of a batch refuses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bcc.core.errors import ConflictError, DomainError, NotAllowedError, WrongStateError


class BatchMovedOnError(WrongStateError):
    code = "batch_moved_on"
    default_detail = _("The batch is in another state by now. Look at it again.")


class LeaseLostError(ConflictError):
    """Another worker has the batch: whoever raised this stops, and nothing of its chunk was written."""

    code = "lease_lost"
    default_detail = _("Another worker has taken the batch over.")


class EmptyDeliveryError(DomainError):
    code = "empty_delivery"
    default_detail = _("There is no file in it, or one that is empty. Choose the files again.")


class PeriodNeededError(DomainError):
    code = "period_needed"
    default_detail = _("This kind belongs to a month. Give the period as 2026-10.")


class PeriodClosedError(ConflictError):
    code = "period_closed"
    default_detail = _("The period is closed. Open it again on the page of periods, then go on.")


class SamePersonError(NotAllowedError):
    code = "same_person"
    default_detail = _("Whoever uploaded a batch does not approve it. Ask a colleague to look at it.")


class TrialError(ConflictError):
    code = "trial"
    default_detail = _("This is a trial and is never published. Take it up for real first.")


class ControlError(ConflictError):
    """``count`` and ``total`` are (what Finance says, what is in the batch)."""

    code = "control_differs"
    default_detail = _("The control figures do not agree with the batch. Correct them, or reject the batch.")


class NothingToPublishError(ConflictError):
    code = "nothing_to_publish"
    default_detail = _("No item of this batch can be published. Decide about the quarantine, or reject it.")


class PartlyPublishedError(ConflictError):
    code = "partly_published"
    default_detail = _("Part of this batch is published. Approve it, then roll the whole batch back.")


class NotWaitingError(WrongStateError):
    code = "not_waiting"
    default_detail = _("This item does not wait for a decision any more. Look at it again.")


class NotAcceptableError(ConflictError):
    code = "not_acceptable"
    default_detail = _(
        "This item is wrong, so it cannot be accepted. Give it to another account, or discard it."
    )


class PeriodIncompleteError(ConflictError):
    """``missing`` memberships have neither statement nor reason."""

    code = "period_incomplete"
    default_detail = _("Some memberships have neither a statement nor a reason. Explain each gap first.")


class BatchesInHandError(ConflictError):
    code = "batches_in_hand"
    default_detail = _("A batch of this period is on its way. Publish or reject it first.")


class PeriodOpenError(WrongStateError):
    code = "period_open"
    default_detail = _("This period is open already.")
