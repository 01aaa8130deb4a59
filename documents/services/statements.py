"""Statements that the club renders itself, for months of which Finance sends data alone; and withdrawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Membership, Relation
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import ConflictError, WrongStateError
from documents.models import (
    AccountEntry,
    Assessment,
    Asset,
    Document,
    DocumentKind,
    ImportItem,
    Period,
    Publication,
    StatementSummary,
)
from documents.policies.periods import first_day
from documents.services.assets import keep_bytes
from documents.services.statement_pdf import Line, Sheet, render_statement

PDF: Final = "application/pdf"
# Memberships a query.
PAGE: Final = 200


class PeriodClosedError(ConflictError):
    code = "period_closed"
    default_detail = _("This month is closed and takes nothing any more.")


@dataclass(slots=True)
class Rendered:
    """What became of the households with sums in a month; the four add up to ``seen``.

    ``made`` are new documents, for whoever tells their members. ``unchanged`` had this very paper,
    ``given`` one that Finance sent, ``withdrawn`` one that staff took back and that stays so.
    """

    made: list[Document] = field(default_factory=list)
    unchanged: int = 0
    given: int = 0
    withdrawn: int = 0

    @property
    def seen(self) -> int:
        return len(self.made) + self.unchanged + self.given + self.withdrawn


def render_statements(*, period: str, now: datetime) -> Rendered:
    """Render and publish the statement of each household with published sums in ``period``.

    From the published rows alone, so equal rows give the same paper, and running it again changes
    nothing. What Finance sent as a paper stands. Rows that were corrected since give a new version,
    which supersedes the rendered one. Each household is a transaction of its own: what is done when it
    breaks off stays done. Rendering itself is outside of it. Memory is that of ``PAGE`` households,
    and of the documents made.

    Raises PeriodClosedError for a month that is closed, ValueError for what is no month.
    """
    first_day(period)
    _refuse_closed(period)
    done = Rendered()
    for sheets in _sheets(period):
        for membership_id, sheet in sheets:
            body, pages = render_statement(sheet)
            asset = keep_bytes(body, media_type=PDF, now=now)
            outcome = file_rendered(
                membership_id=membership_id, period=period, asset=asset, pages=pages, now=now
            )
            _count(done, outcome)
    return done


def _count(done: Rendered, outcome: Document | str) -> None:
    if isinstance(outcome, Document):
        done.made.append(outcome)
    elif outcome == UNCHANGED:
        done.unchanged += 1
    elif outcome == GIVEN:
        done.given += 1
    else:
        done.withdrawn += 1


UNCHANGED, GIVEN, WITHDRAWN = "unchanged", "given", "withdrawn"


@transactions.writes
def file_rendered(
    *, membership_id: int, period: str, asset: Asset, pages: int, now: datetime
) -> Document | str:
    """Publish ``asset`` as the household's statement, or say why it is not: one of the three words.

    Under the period's lock, then the membership's, as everything that publishes into a month.
    """
    _refuse_closed(period, lock=True)
    transactions.lock_rows(Membership, [membership_id])
    versions = Document.objects.filter(
        membership_id=membership_id, kind=DocumentKind.STATEMENT, period=period, number=""
    )
    same = versions.filter(sha256=asset.sha256).first()
    if same is not None and same.state == Publication.WITHDRAWN:
        return WITHDRAWN
    present = versions.filter(state=Publication.PUBLISHED).first()
    if present is not None and ImportItem.objects.filter(document=present).exists():
        return GIVEN
    if present is not None and present.sha256 == asset.sha256:
        return UNCHANGED
    if present is not None:
        versions.filter(pk=present.pk).update(state=Publication.SUPERSEDED, ended_at=now)
    if same is not None:
        # The rows are again as they were: the database keeps one row for the same bytes.
        versions.filter(pk=same.pk).update(state=Publication.PUBLISHED, ended_at=None, published_at=now)
        same.refresh_from_db()
        return same
    last: int = versions.aggregate(last=Max("version"))["last"] or 0
    return Document.objects.create(
        membership_id=membership_id,
        kind=DocumentKind.STATEMENT,
        period=period,
        version=last + 1,
        state=Publication.PUBLISHED,
        asset=asset,
        sha256=asset.sha256,
        pages=pages,
        created_at=now,
        published_at=now,
    )


@transactions.writes
def withdraw_document(*, document: Document, by: Actor, reason: str, now: datetime) -> Document:
    """Take a published document back: its members no longer find it, and its links are dead.

    Who and why stand on the row. Raises WrongStateError for one that is not published.
    """
    moved = Document.objects.filter(pk=document.pk, state=Publication.PUBLISHED).update(
        state=Publication.WITHDRAWN, ended_at=now, ended_by_id=by.user_id, end_reason=reason[:300]
    )
    if not moved:
        raise WrongStateError(_("Only a published document can be withdrawn. Look at it again."))
    document.refresh_from_db()
    return document


def _refuse_closed(period: str, *, lock: bool = False) -> None:
    row = Period.objects.filter(period=period).first()
    if row is not None and lock:
        transactions.lock_rows(Period, [row.pk])
        row.refresh_from_db()
    if row is not None and row.is_closed:
        raise PeriodClosedError


def _sheets(period: str) -> Iterator[list[tuple[int, Sheet]]]:
    """A page of households at a time: five queries a page, however many lines they have."""
    last = 0
    rows = StatementSummary.objects.published().filter(period=period, number="")
    while page := list(rows.filter(membership__gt=last).order_by("membership_id")[:PAGE]):
        yield _page_of_sheets(period, page)
        last = page[-1].membership_id


def _page_of_sheets(period: str, page: Sequence[StatementSummary]) -> list[tuple[int, Sheet]]:
    ids = [row.membership_id for row in page]
    accounts = dict(Membership.objects.filter(pk__in=ids).values_list("pk", "account_no"))
    names = _household_names(ids)
    entries = _by_household(
        AccountEntry.objects.published()
        .filter(membership__in=ids, period=period)
        .order_by("posted_on", "number", "pk")
    )
    assessments = _by_household(
        Assessment.objects.published().filter(membership__in=ids, period=period).order_by("number", "pk")
    )
    return [
        (
            row.membership_id,
            Sheet(
                club=settings.CLUB_NAME,
                colour=settings.CLUB_COLOUR,
                contact=settings.CLUB_EMAIL,
                currency=settings.CLUB_CURRENCY,
                household=names.get(row.membership_id, accounts[row.membership_id]),
                account_no=accounts[row.membership_id],
                period=first_day(period),
                previous=row.previous,
                charges=row.charges,
                payments=row.payments,
                due=row.due,
                due_on=row.due_on,
                lines=entries[row.membership_id],
                assessments=assessments[row.membership_id],
            ),
        )
        for row in page
    ]


def _household_names(ids: Sequence[int]) -> dict[int, str]:
    """Of each household the principal's name, or that of the first who is in it."""
    order = {Relation.PRINCIPAL: 0, Relation.SPOUSE: 1, Relation.DEPENDENT: 2}
    people = sorted(
        Member.objects.filter(membership__in=ids), key=lambda one: (-order[Relation(one.relation)], -one.pk)
    )
    return {one.membership_id: one.full_name for one in people}


def _by_household(rows: Iterable[AccountEntry | Assessment]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    for row in rows:
        if isinstance(row, AccountEntry):
            line = Line(row.posted_on, row.number, row.description, row.outlet, row.amount)
        else:
            line = Line(row.due_on, row.number, row.description, "", row.amount)
        found[row.membership_id].append(line)
    return found
