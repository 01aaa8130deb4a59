"""Rows of an account: sums of a month, charges, assessments. Checked, filed in versions, taken back."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _

from bcc.core.actors import Actor
from documents.models import AccountRow, ImportBatch, ImportItem, KindRule, Publication, Severity
from documents.policies.batches import Decision, Outcome
from documents.policies.periods import shifted
from documents.services.batches.kinds.base import Finding, Piece, chunked, settle
from documents.services.batches.kinds.common import (
    first_findings,
    lapsed_before,
    lapsed_findings,
    twin_findings,
    twins_of,
)
from documents.services.batches.kinds.tables import TableHandler

Place = tuple[int, str]
# Fewer months say nothing of what is usual.
LEAST_MONTHS: Final = 3
MONTHS: Final = 6
# SQLite takes 32,766 values in one statement, SQL Server 2,100.
IN_ONE_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """What the club has at one place (membership, number) of a period: its versions and the published one."""

    published: Any | None
    versions: Mapping[str, Any]
    last_version: int


class AccountRowHandler(TableHandler):
    """A table whose rows become rows of ``model``. ``shown`` are the fields compared and shown."""

    model: ClassVar[type[AccountRow]]
    shown: ClassVar[Sequence[str]]

    @abstractmethod
    def fields(self, item: ImportItem) -> dict[str, Any]:
        """The columns of ``model`` that the row gives."""

    def own_findings(self, item: ImportItem) -> list[Finding]:
        """What only this kind knows to be wrong."""
        return []

    def check(self, batch: ImportBatch, items: Sequence[ImportItem], rule: KindRule) -> None:
        ids = {one.membership_id for one in items if one.membership_id is not None}
        there = self._there(batch.period, items)
        ended = lapsed_before(ids, batch.period)
        twins = twins_of(batch, items)
        usual = self._usual(batch.period, ids) if rule.outlier_factor else {}
        for item in items:
            found = first_findings(item, key=item.key_read)
            if not found:
                found = self.own_findings(item)
                found += self._version_findings(item, there)
                found += twin_findings(item, twins)
                found += lapsed_findings(item, ended)
                found += _amount_findings(item, rule, usual)
            if found and (same := [one for one in found if one.code == "already_filed"]):
                found = same
            settle(item, found)

    def _version_findings(self, item: ImportItem, there: Mapping[Place, Standing]) -> list[Finding]:
        item.before = {}
        stands = there.get((item.membership_id or 0, item.number))
        if stands is None or stands.published is None:
            return []
        if stands.published.sha256 == item.sha256:
            return [Finding(Severity.NOTICE, "already_filed")]
        item.before = {name: _plain(getattr(stands.published, name)) for name in self.shown}
        code = "older_version" if item.sha256 in stands.versions else "other_version"
        return [Finding(Severity.WAITS, code)]

    def _there(self, period: str, items: Iterable[ImportItem]) -> dict[Place, Standing]:
        """At the places of ``items`` and of nothing else: an account may have hundreds of rows a month."""
        rows: dict[Place, list[Any]] = defaultdict(list)
        of_somebody = [one for one in items if one.membership_id is not None]
        for some in chunked(of_somebody, IN_ONE_QUERY):
            found = self.model._default_manager.filter(
                membership_id__in={one.membership_id for one in some},
                period=period,
                number__in={one.number for one in some},
            )
            for row in found.order_by("version"):
                rows[row.membership_id, row.number].append(row)
        return {place: standing_of(versions) for place, versions in rows.items()}

    def _usual(self, period: str, membership_ids: Iterable[int]) -> dict[int, Decimal]:
        """The median of each account's last six months, where there are enough of them."""
        name = self.amount
        months = [shifted(period, -count) for count in range(1, MONTHS + 1)]
        sums: dict[int, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
        for ids in chunked(sorted(set(membership_ids)), IN_ONE_QUERY):
            rows = self.model._default_manager.filter(
                membership_id__in=ids, period__in=months, state=Publication.PUBLISHED
            )
            for membership_id, month, amount in rows.values_list("membership_id", "period", name):
                sums[membership_id][month].append(abs(amount))
        return {
            pk: median(one for amounts in by_month.values() for one in amounts)
            for pk, by_month in sums.items()
            if len(by_month) >= LEAST_MONTHS
        }

    def file(self, batch: ImportBatch, pieces: Sequence[Piece], *, by: Actor, now: datetime) -> None:
        items = [piece.item for piece in pieces]
        there = self._there(batch.period, items)
        made: list[Any] = []
        again: list[int] = []
        ended: list[int] = []
        for item in items:
            if item.membership_id is None:
                settle(item, [Finding(Severity.ERROR, "unknown_account", item.key_read)])
                continue
            place = (item.membership_id, item.number)
            stands = there.get(place) or Standing(None, {}, 0)
            refused = conflict(item, stands)
            if refused is not None:
                settle(item, [refused])
                continue
            if stands.published is not None:
                ended.append(stands.published.pk)
            known = stands.versions.get(item.sha256)
            if known is not None:
                again.append(known.pk)
                now_there = known
            else:
                now_there = self.model(
                    membership_id=item.membership_id,
                    period=batch.period,
                    number=item.number,
                    version=stands.last_version + 1,
                    state=Publication.PUBLISHED,
                    sha256=item.sha256,
                    created_at=now,
                    published_at=now,
                    **self.fields(item),
                )
                made.append(now_there)
            item.outcome = Outcome.FILED
            versions = {**stands.versions, item.sha256: now_there}
            there[place] = Standing(now_there, versions, max(stands.last_version, now_there.version))
        supersede(self.model, ended, now)
        publish_again(self.model, again, now)
        self.model._default_manager.bulk_create(made)

    def take_back(
        self, batch: ImportBatch, items: Sequence[ImportItem], *, by: Actor, now: datetime
    ) -> list[str]:
        wanted = {(one.membership_id, one.number, one.sha256) for one in items}
        withdrawn: list[int] = []
        restored: list[int] = []
        for place, stands in self._there(batch.period, items).items():
            ours = [row for sha, row in stands.versions.items() if (*place, sha) in wanted]
            withdrawn += [row.pk for row in ours]
            if stands.published is not None and stands.published in ours:
                restored += previous_of(stands, ours)
        withdraw(self.model, withdrawn, now)
        publish_again(self.model, restored, None)
        return []


def conflict(item: ImportItem, stands: Standing) -> Finding | None:
    """Why an item is not filed after all, at the moment of filing; None where it may be."""
    if stands.published is None:
        return None
    if stands.published.sha256 == item.sha256:
        return Finding(Severity.NOTICE, "already_filed")
    if item.decision == Decision.ACCEPT:
        return None
    # Somebody else's batch was published in the meantime, or a reassigned item met another.
    return Finding(Severity.WAITS, "other_version", _("Published after this was checked."))


def previous_of(stands: Standing, ours: Sequence[Any]) -> list[int]:
    """The version that ``ours`` took the place of."""
    left = [
        row for row in stands.versions.values() if row.state == Publication.SUPERSEDED and row not in ours
    ]
    return [max(left, key=lambda row: (row.ended_at, row.version)).pk] if left else []


def supersede(model: Any, ids: Sequence[int], now: datetime) -> None:
    for some in chunked(ids, IN_ONE_QUERY):
        model._default_manager.filter(pk__in=some).update(state=Publication.SUPERSEDED, ended_at=now)


def withdraw(model: Any, ids: Sequence[int], now: datetime) -> None:
    for some in chunked(ids, IN_ONE_QUERY):
        model._default_manager.filter(pk__in=some).update(state=Publication.WITHDRAWN, ended_at=now)


def publish_again(model: Any, ids: Sequence[int], now: datetime | None) -> None:
    """Show versions that were there before; with their own first time unless ``now`` is given."""
    values: dict[str, Any] = {"state": Publication.PUBLISHED, "ended_at": None}
    if now is not None:
        values["published_at"] = now
    for some in chunked(ids, IN_ONE_QUERY):
        model._default_manager.filter(pk__in=some).update(**values)


def standing_of(versions: Sequence[Any]) -> Standing:
    """``versions`` of one place, oldest first."""
    published = [row for row in versions if row.state == Publication.PUBLISHED]
    return Standing(
        published[0] if published else None, {row.sha256: row for row in versions}, versions[-1].version
    )


def _amount_findings(item: ImportItem, rule: KindRule, usual: Mapping[int, Decimal]) -> list[Finding]:
    if item.amount is None or item.membership_id is None:
        return []
    found = []
    amount = abs(item.amount)
    if rule.amount_limit is not None and amount > rule.amount_limit:
        said = _("%(amount)s, the limit is %(limit)s.") % {"amount": item.amount, "limit": rule.amount_limit}
        found.append(Finding(Severity.WAITS, "over_limit", said))
    middle = usual.get(item.membership_id, Decimal(0))
    if middle > 0 and amount >= middle * rule.outlier_factor:
        said = _("%(amount)s, usually about %(usual)s.") % {"amount": item.amount, "usual": f"{middle:.2f}"}
        found.append(Finding(Severity.WAITS, "outlier", said))
    return found


def _plain(value: Any) -> str:
    return "" if value is None else str(value)
