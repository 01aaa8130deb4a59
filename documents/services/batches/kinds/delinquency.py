"""The delinquency list: who is in arrears, as a difference to what the club knows.

A name that is on the list no more clears nobody by itself: it becomes an item that waits for a tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy

from accounts.models import Membership, Standing
from accounts.services.household import change_membership
from bcc.core.actors import Actor
from documents.models import BatchKind, ImportBatch, ImportItem, KindRule, Severity
from documents.parsers.tables import Column
from documents.policies.batches import ABSENT, Decision, Outcome
from documents.services.batches.kinds.base import Draft, Finding, Piece, settle
from documents.services.batches.kinds.common import first_findings, twin_findings, twins_of
from documents.services.batches.kinds.tables import ACCOUNT_TITLES, TableHandler

# What Finance writes for each; whoever is on the list without a word is delinquent.
_STANDINGS: Final[Mapping[str, str]] = {
    "": Standing.DELINQUENT,
    "delinquent": Standing.DELINQUENT,
    "suspended": Standing.SUSPENDED,
    "posted": Standing.SUSPENDED,
    "good": Standing.GOOD,
    "cleared": Standing.GOOD,
    "current": Standing.GOOD,
}


class Delinquency(TableHandler):
    kind = BatchKind.DELINQUENCY
    expects = gettext_lazy("CSV or XLSX with account; amount overdue and standing where there are.")
    columns = (
        Column("account_no", ACCOUNT_TITLES, "account"),
        Column(
            "amount", ("amount overdue", "overdue", "amount", "past due", "balance"), "money", required=False
        ),
        Column("standing", ("standing", "status"), required=False),
    )
    amount = "amount"

    def rest(self, batch: ImportBatch) -> Iterator[Draft]:
        """One item for each household in arrears that the list does not name."""
        named = ImportItem.objects.filter(batch=batch, membership__isnull=False).values("membership")
        absent = Membership.objects.filter(standing=Standing.DELINQUENT).exclude(pk__in=named)
        for pk, account_no in list(absent.order_by("account_no", "pk").values_list("pk", "account_no")):
            yield Draft(
                key_read=account_no,
                method=ABSENT,
                membership_id=pk,
                values={"account_no": account_no, "standing": Standing.GOOD.value},
            )

    def check(self, batch: ImportBatch, items: Sequence[ImportItem], rule: KindRule) -> None:
        ids = [one.membership_id for one in items if one.membership_id is not None]
        now_in = dict(Membership.objects.filter(pk__in=ids).values_list("pk", "standing"))
        twins = twins_of(batch, items)
        for item in items:
            found = first_findings(item, key=item.key_read)
            if not found:
                found = twin_findings(item, twins) or self._findings(item, now_in)
            settle(item, found)

    def _findings(self, item: ImportItem, now_in: Mapping[int, str]) -> list[Finding]:
        before, after = now_in[item.membership_id or 0], _standing_of(item.values)
        item.before = {"standing": before}
        if after is None:
            return [Finding(Severity.ERROR, "not_master", str(item.values.get("standing")))]
        if before == after:
            return [Finding(Severity.NOTICE, "no_change")]
        if item.method == ABSENT:
            return [Finding(Severity.WAITS, "absent")]
        if before == Standing.SUSPENDED and after == Standing.DELINQUENT:
            return [Finding(Severity.WAITS, "standing_worse")]
        return []

    def file(self, batch: ImportBatch, pieces: Sequence[Piece], *, by: Actor, now: datetime) -> None:
        memberships = _locked(pieces)
        for item in (piece.item for piece in pieces):
            membership = memberships.get(item.membership_id or 0)
            after = _standing_of(item.values)
            if membership is None or after is None:
                settle(item, [Finding(Severity.ERROR, "unknown_account", item.key_read)])
            elif membership.standing == after:
                settle(item, [Finding(Severity.NOTICE, "no_change")])
            elif item.before.get("standing") != membership.standing and item.decision != Decision.ACCEPT:
                # The desk changed it after the list was checked: the list does not win by being late.
                settle(
                    item, [Finding(Severity.WAITS, "changed_since", str(membership.get_standing_display()))]
                )
            else:
                item.before = {"standing": membership.standing}
                _set_standing(membership, after, now)
                item.outcome = Outcome.FILED

    def take_back(
        self, batch: ImportBatch, items: Sequence[ImportItem], *, by: Actor, now: datetime
    ) -> list[str]:
        memberships = _locked([Piece(item) for item in items])
        left = []
        for item in items:
            membership = memberships[item.membership_id or 0]
            if membership.standing == _standing_of(item.values):
                _set_standing(membership, item.before["standing"], now)
            else:
                left.append(f"{membership.account_no}: {membership.get_standing_display()}")
        return left


def _locked(pieces: Sequence[Piece]) -> dict[int, Membership]:
    """The memberships of a chunk; each is locked by the service that changes it, in the order of ids."""
    ids = sorted({piece.item.membership_id for piece in pieces if piece.item.membership_id is not None})
    return {one.pk: one for one in Membership.objects.select_related("category").filter(pk__in=ids)}


def _set_standing(membership: Membership, standing: str, now: datetime) -> None:
    change_membership(
        membership=membership,
        category=membership.category,
        standing=standing,
        valid_to=membership.valid_to,
        now=now,
    )


def _standing_of(values: Mapping[str, Any]) -> str | None:
    return _STANDINGS.get(str(values.get("standing") or "").strip().lower())
