"""What a Finance batch goes through: one table that code, documents and tests read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class BatchState(StrEnum):
    RECEIVED = "RECEIVED"
    IDENTIFIED = "IDENTIFIED"
    VALIDATED = "VALIDATED"
    REVIEW = "REVIEW"
    APPROVED = "APPROVED"
    PUBLISHING = "PUBLISHING"
    PUBLISHED = "PUBLISHED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    ROLLED_BACK = "ROLLED_BACK"


# From a state to those that may follow it. What a worker does goes on by itself; what a person does waits.
MOVES: Final[Mapping[BatchState, frozenset[BatchState]]] = {
    BatchState.RECEIVED: frozenset({BatchState.IDENTIFIED, BatchState.FAILED, BatchState.REJECTED}),
    BatchState.IDENTIFIED: frozenset({BatchState.VALIDATED, BatchState.FAILED, BatchState.REJECTED}),
    BatchState.VALIDATED: frozenset({BatchState.REVIEW, BatchState.FAILED, BatchState.REJECTED}),
    # Back to RECEIVED: corrected rows came, or a pattern was mended, and it is read anew.
    BatchState.REVIEW: frozenset({BatchState.APPROVED, BatchState.REJECTED, BatchState.RECEIVED}),
    BatchState.APPROVED: frozenset({BatchState.PUBLISHING, BatchState.REVIEW, BatchState.REJECTED}),
    BatchState.PUBLISHING: frozenset({BatchState.PUBLISHED, BatchState.FAILED}),
    # Corrected rows of the error file go back in under the same batch.
    BatchState.PUBLISHED: frozenset({BatchState.ROLLED_BACK, BatchState.RECEIVED}),
    # The same bytes again are the same batch: who wants it after all takes it up where it lies.
    BatchState.FAILED: frozenset({BatchState.RECEIVED, BatchState.REJECTED}),
    BatchState.REJECTED: frozenset({BatchState.RECEIVED}),
    BatchState.ROLLED_BACK: frozenset({BatchState.RECEIVED}),
}
# In these a worker has the batch, or should: a lease that ran out is taken over.
WORKED: Final = frozenset(
    {
        BatchState.RECEIVED,
        BatchState.IDENTIFIED,
        BatchState.VALIDATED,
        BatchState.APPROVED,
        BatchState.PUBLISHING,
    }
)


class Outcome(StrEnum):
    """How an item ends: exactly one of the last three. OPEN items are still being worked on."""

    OPEN = "open"
    FILED = "filed"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"


class Decision(StrEnum):
    """What a person said of an item that waits."""

    NONE = "none"
    ACCEPT = "accept"
    REASSIGN = "reassign"
    DISCARD = "discard"


def may_follow(state: BatchState, to: BatchState) -> bool:
    return to in MOVES[state]


# Reasons of items that are no part of what Finance counts: pages of no account, and rows that corrected ones
# took the place of. Nor are those counted whom a list does not name, by their method.
UNCOUNTED: Final = ("cover_page", "replaced")
ABSENT: Final = "absent"
