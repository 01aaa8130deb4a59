"""The kinds that come as PDFs, a file each or one merged: checked, filed in versions, taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from accounts.models import Membership
from bcc.core.actors import Actor
from documents.models import Document, DocumentKind, ImportBatch, ImportItem, KindRule, Publication, Severity
from documents.parsers.names import account_key
from documents.policies.batches import Outcome
from documents.services.batches import telling
from documents.services.batches.kinds.account_rows import (
    IN_ONE_QUERY,
    Standing,
    conflict,
    previous_of,
    publish_again,
    standing_of,
    supersede,
    withdraw,
)
from documents.services.batches.kinds.base import Finding, Handler, Piece, chunked, settle
from documents.services.batches.kinds.common import (
    first_findings,
    lapsed_before,
    lapsed_findings,
    twin_findings,
    twins_of,
)

Place = tuple[int, str, str]


class PaperHandler(Handler):
    """Files documents. What an item is filed as stands in its values under ``document_kind``."""

    def check(self, batch: ImportBatch, items: Sequence[ImportItem], rule: KindRule) -> None:
        ids = {one.membership_id for one in items if one.membership_id is not None}
        there = _there(batch.period, ids)
        elsewhere = _filed_elsewhere(batch.period, items)
        ended = lapsed_before(ids, batch.period)
        twins = twins_of(batch, items)
        numbers = dict(Membership.objects.filter(pk__in=ids).values_list("pk", "account_no"))
        for item in items:
            if item.reason == "cover_page":
                continue
            found = first_findings(item, key=item.key_read)
            if not found:
                found = _page_findings(item, numbers)
                found += _version_findings(item, there) or twin_findings(item, twins)
                found += lapsed_findings(item, ended)
                found += _paper_findings(batch, item, elsewhere)
            if found and (same := [one for one in found if one.code == "already_filed"]):
                found = same
            settle(item, found)

    def file(self, batch: ImportBatch, pieces: Sequence[Piece], *, by: Actor, now: datetime) -> None:
        there = _there(batch.period, {one.item.membership_id for one in pieces if one.item.membership_id})
        made: list[Document] = []
        again: list[int] = []
        ended: list[int] = []
        for piece in pieces:
            item = piece.item
            if item.membership_id is None or piece.asset is None:
                settle(item, [piece.refused or Finding(Severity.ERROR, "unknown_account", item.key_read)])
                continue
            place = (item.membership_id, kind_of(item), item.number)
            stands = there.get(place) or Standing(None, {}, 0)
            refused = conflict(item, stands)
            if refused is not None:
                settle(item, [refused])
                continue
            if stands.published is not None:
                ended.append(stands.published.pk)
            document = stands.versions.get(item.sha256)
            if document is not None:
                again.append(document.pk)
            else:
                document = Document(
                    membership_id=item.membership_id,
                    kind=kind_of(item),
                    period=batch.period,
                    number=item.number,
                    version=stands.last_version + 1,
                    state=Publication.PUBLISHED,
                    asset=piece.asset,
                    sha256=item.sha256,
                    pages=piece.pages,
                    created_at=now,
                    published_at=now,
                )
                made.append(document)
            item.outcome, item.document = Outcome.FILED, document
            versions = {**stands.versions, item.sha256: document}
            there[place] = Standing(document, versions, max(stands.last_version, document.version))
        supersede(Document, ended, now)
        publish_again(Document, again, now)
        Document.objects.bulk_create(made)
        for piece in pieces:
            # The keys are known now.
            piece.item.document = piece.item.document

    def take_back(
        self, batch: ImportBatch, items: Sequence[ImportItem], *, by: Actor, now: datetime
    ) -> list[str]:
        ours = {one.document_id for one in items}
        withdrawn: list[int] = []
        restored: list[int] = []
        for stands in _there(
            batch.period, {one.membership_id for one in items if one.membership_id}
        ).values():
            mine = [row for row in stands.versions.values() if row.pk in ours]
            withdrawn += [row.pk for row in mine]
            if stands.published is not None and stands.published in mine:
                restored += previous_of(stands, mine)
        withdraw(Document, withdrawn, now)
        publish_again(Document, restored, None)
        return []

    def tell(self, batch: ImportBatch, items: Sequence[ImportItem], *, now: datetime) -> int:
        statements = [one for one in items if kind_of(one) == DocumentKind.STATEMENT]
        others = [one for one in items if kind_of(one) != DocumentKind.STATEMENT]
        told = telling.tell_of_statements(batch.period, statements, model=Document, now=now)
        return told + telling.tell_of_papers(batch, others, now=now)


def kind_of(item: ImportItem) -> str:
    return str(item.values.get("document_kind") or DocumentKind.STATEMENT.value)


def _there(period: str, membership_ids: Iterable[int]) -> dict[Place, Standing]:
    rows: dict[Place, list[Document]] = defaultdict(list)
    for ids in chunked(sorted(set(membership_ids)), IN_ONE_QUERY):
        for row in Document.objects.filter(membership_id__in=ids, period=period).order_by("version"):
            rows[row.membership_id, row.kind, row.number].append(row)
    return {place: standing_of(versions) for place, versions in rows.items()}


def _version_findings(item: ImportItem, there: Mapping[Place, Standing]) -> list[Finding]:
    item.before = {}
    stands = there.get((item.membership_id or 0, kind_of(item), item.number))
    if stands is None or stands.published is None:
        return []
    if stands.published.sha256 == item.sha256:
        return [Finding(Severity.NOTICE, "already_filed")]
    item.before = {
        "document": str(stands.published.public_id),
        "version": str(stands.published.version),
        "pages": str(stands.published.pages),
    }
    code = "older_version" if item.sha256 in stands.versions else "other_version"
    return [Finding(Severity.WAITS, code)]


def _paper_findings(
    batch: ImportBatch, item: ImportItem, elsewhere: Mapping[tuple[int, str], str]
) -> list[Finding]:
    found = []
    said = item.values.get("period")
    if said and said != batch.period:
        found.append(Finding(Severity.WAITS, "wrong_period", str(said)))
    if item.values.get("active"):
        found.append(Finding(Severity.WAITS, "pdf_active"))
    if month := elsewhere.get((item.membership_id or 0, item.sha256)):
        found.append(Finding(Severity.WAITS, "filed_elsewhere", month))
    return found


def _page_findings(item: ImportItem, numbers: Mapping[int, str]) -> list[Finding]:
    """Whether an account of the club's stands on the page that is not the one it goes to."""
    on_page = str(item.values.get("page_account") or "")
    whose = numbers.get(item.membership_id or 0, "")
    if not on_page or account_key(on_page) == account_key(whose):
        return []
    return [Finding(Severity.WAITS, "other_account", on_page)]


def _filed_elsewhere(period: str, items: Sequence[ImportItem]) -> dict[tuple[int, str], str]:
    """(membership, hash) → the other month under which the very same file is published."""
    found = {}
    for some in chunked([one.sha256 for one in items if one.sha256], IN_ONE_QUERY):
        rows = Document.objects.published().filter(sha256__in=some).exclude(period=period)
        for membership_id, sha256, month in rows.values_list("membership_id", "sha256", "period"):
            found[membership_id, sha256] = month
    return found
