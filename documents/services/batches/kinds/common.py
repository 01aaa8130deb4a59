"""What is checked of every item, whatever its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _

from accounts.models import Membership
from documents.models import ImportBatch, ImportItem, Severity
from documents.policies.batches import Outcome
from documents.policies.periods import first_day
from documents.services.batches.kinds.base import Finding

Twins = Mapping[tuple[int, str], Sequence[tuple[int, str]]]


def first_findings(item: ImportItem, *, key: str, is_ambiguous: bool = False) -> list[Finding]:
    """What the reading found, and whether anybody is meant."""
    problem = item.values.get("problem")
    if problem:
        return [Finding(Severity.ERROR, problem["code"], problem["detail"])]
    if item.membership_id is not None:
        return []
    if not key:
        return [Finding(Severity.ERROR, str(item.values.get("why") or "no_account"))]
    if is_ambiguous:
        return [Finding(Severity.ERROR, "ambiguous_account", key)]
    return [Finding(Severity.ERROR, "unknown_account", key)]


def lapsed_before(membership_ids: Iterable[int], period: str) -> dict[int, date]:
    """The memberships that ended before the period began, and when."""
    if not period:
        return {}
    ended = Membership.objects.filter(pk__in=list(membership_ids), valid_to__lt=first_day(period))
    return {pk: day for pk, day in ended.values_list("pk", "valid_to") if day is not None}


def twins_of(batch: ImportBatch, items: Sequence[ImportItem]) -> Twins:
    """What of the batch is at the places of ``items``, by (membership, number): (ordinal, hash) of each that
    still counts. Other rows of the same accounts are not looked at: there may be hundreds of each."""
    of_somebody = [one for one in items if one.membership_id is not None]
    rows = (
        ImportItem.objects.filter(
            batch=batch,
            membership_id__in={one.membership_id for one in of_somebody},
            number__in={one.number for one in of_somebody},
        )
        .exclude(reason="replaced")
        .exclude(outcome=Outcome.QUARANTINED, decision="discard")
        .order_by("ordinal")
        .values_list("membership_id", "number", "ordinal", "sha256")
    )
    found: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
    for membership_id, number, ordinal, sha256 in rows:
        if membership_id is not None:
            found[membership_id, number].append((ordinal, sha256))
    return found


def twin_findings(item: ImportItem, twins: Twins) -> list[Finding]:
    """The same again is a duplicate of the first; something else for the same waits, all of them."""
    if item.membership_id is None:
        return []
    others = [one for one in twins.get((item.membership_id, item.number), ()) if one[0] != item.ordinal]
    if any(ordinal < item.ordinal and sha256 == item.sha256 for ordinal, sha256 in others):
        return [Finding(Severity.NOTICE, "duplicate_in_batch")]
    unlike = [ordinal for ordinal, sha256 in others if sha256 != item.sha256]
    if unlike:
        said = _("See item %(ordinals)s.") % {"ordinals": ", ".join(f"#{one}" for one in unlike[:5])}
        return [Finding(Severity.WAITS, "twice_in_batch", said)]
    return []


def lapsed_findings(item: ImportItem, ended: Mapping[int, date]) -> list[Finding]:
    day = ended.get(item.membership_id or 0)
    return [Finding(Severity.WAITS, "membership_ended", day.isoformat())] if day else []
