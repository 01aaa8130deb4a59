"""A month of Finance's files with the errors that Finance makes: every item ends, and as it should.

The small month is part of the suite; that of 828 households, with 2,000 pages and 2,000 receipts, is a soak.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Member, Membership, Notification, User
from bcc.core.actors import Actor
from documents.models import (
    AccountEntry,
    Assessment,
    BatchKind,
    Document,
    FileNamePattern,
    ImportBatch,
    PageRegion,
    Period,
    StatementSummary,
)
from documents.policies.batches import Outcome
from documents.selectors.batches import counts_of
from documents.selectors.completeness import completeness_of
from documents.services.batches.errors import PeriodIncompleteError
from documents.services.batches.receive import Delivered
from documents.services.batches.steps import approve_batch
from documents.services.batches.work import work_on
from documents.services.periods import close_period
from tests.documents.batches.delivery import publish, receive, work, zip_file
from tests.documents.corpus.making import MAKERS, make
from tests.documents.corpus.people import account_no, accounts
from tests.documents.corpus.statements import single
from tests.documents.corpus.zips import RECEIPT_PATTERN, STATEMENT_PATTERN
from tests.factories import CategoryFactory

pytestmark = pytest.mark.django_db
FEW, MANY = 14, 828
PATTERNS = {BatchKind.STATEMENT_ZIP: STATEMENT_PATTERN, BatchKind.PAPERS: RECEIPT_PATTERN}


def club(count: int) -> None:
    """Households with a principal each; the members' numbers are not those of the master."""
    category = CategoryFactory.create()
    memberships = Membership.objects.bulk_create(
        Membership(account_no=account_no(number), category=category) for number in range(1, count + 1)
    )
    users = User.objects.bulk_create(
        User(username=f"c{number:05d}", display_name=f"Test C{number}") for number in range(1, count + 1)
    )
    Member.objects.bulk_create(
        Member(
            membership=membership,
            user=user,
            member_no=f"{membership.account_no}-1",
            member_no_key=f"{membership.account_no}-1".replace("-", ""),
            first_name="Test",
            last_name=f"C{number}",
        )
        for number, (membership, user) in enumerate(zip(memberships, users, strict=True), 1)
    )


def read_as(corpus: dict[str, Any]) -> None:
    """The patterns and the region that this Finance needs."""
    for kind, pattern in PATTERNS.items():
        FileNamePattern.objects.create(kind=kind, pattern=pattern, position=1, document_kind={
            BatchKind.STATEMENT_ZIP: "statement", BatchKind.PAPERS: "receipt"}[kind])  # fmt: skip
    left, top, width, height = (round(measure) for measure in corpus["account_box"])
    PageRegion.objects.all().delete()
    PageRegion.objects.create(
        kind="statement_pdf", name="Head", left=left, top=top, width=width, height=height,
        label=corpus["account_label"],
    )  # fmt: skip


def go(folder: Path, name: str, count: int, uploader: Actor, approver: Actor, now: datetime) -> ImportBatch:
    corpus = make(folder, members=count, only=[name])
    club(count)
    read_as(corpus)
    about = corpus["files"][name]
    with (folder / name).open("rb") as content:
        batch = receive(
            BatchKind(about["kind"]), Delivered(name, content), now=now, by=uploader, period=about["period"]
        ).batch
    began = time.monotonic()
    batch = work(batch, now)
    assert (batch.state, batch.failure_detail) == ("REVIEW", "")
    read = time.monotonic() - began
    if batch.items.to_publish().exists():
        batch = publish(batch, by=approver, now=now)
        assert (batch.state, batch.told_at) == ("PUBLISHED", now)
    ended = Counter(batch.items.values_list("outcome", flat=True))
    print(
        f"{name}: read in {read:.1f} s, published in {time.monotonic() - began - read:.1f} s, {dict(ended)}"
    )
    check(batch, about["items"])
    return batch


def check(batch: ImportBatch, expected: list[dict[str, Any]]) -> None:
    """100 % of the items are filed, quarantined or duplicates; none that Finance meant otherwise is filed."""
    counts = counts_of(batch)
    assert counts.is_reconciled
    assert counts.open == 0
    items = list(batch.items.select_related("membership").order_by("ordinal"))
    wanted = [one for one in expected if one["expect"] != "skipped"]
    assert len(items) == len(wanted)
    for item, one in zip(items, wanted, strict=True):
        assert item.outcome in (Outcome.FILED, Outcome.QUARANTINED, Outcome.DUPLICATE)
        if item.outcome == Outcome.FILED:
            assert one["expect"] == "filed", (item.ordinal, one)
            assert item.membership is not None
            assert item.membership.account_no == one["account_no"]
        elif one["expect"] == "filed":
            # Two rows of one account that differ are asked about both; and what a row cannot say, it cannot.
            assert item.reason in ("twice_in_batch", "missing", "merged", "not_master", "no_change"), (
                item.ordinal, item.reason, item.detail, one,
            )  # fmt: skip


class TestCorpus:
    @pytest.mark.parametrize("name", sorted(MAKERS))
    def test_ends_whole(
        self, tmp_path: Path, name: str, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        batch = go(tmp_path, name, FEW, uploader, approver, now)
        told = Notification.objects.filter(channel="in_app").exclude(kind="document_published")
        people = list(told.values_list("user_id", flat=True))
        assert len(people) == len(set(people))
        filed = batch.items.filed().count()
        rows = {
            "balances": StatementSummary, "entries": AccountEntry, "assessments": Assessment,
            "statement_zip": Document, "statement_pdf": Document, "papers": Document,
        }  # fmt: skip
        if batch.kind in rows:
            assert rows[batch.kind]._default_manager.count() == filed > 0

    def test_leaves_a_month_that_does_not_close_with_a_gap(
        self, tmp_path: Path, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        go(tmp_path, "balances.csv", FEW, uploader, approver, now)
        found = completeness_of("2026-10")
        assert found.adds_up
        assert found.active == FEW
        assert found.unexplained > 0
        with pytest.raises(PeriodIncompleteError):
            close_period(period=Period.objects.get(period="2026-10"), by=approver, now=now)

    @pytest.mark.soak
    @pytest.mark.parametrize("name", sorted(MAKERS))
    def test_of_a_whole_club_ends_whole(
        self, tmp_path: Path, name: str, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        batch = go(tmp_path, name, MANY, uploader, approver, now)
        assert completeness_of("2026-10").adds_up
        assert batch.items.count() > 25


class Ticking:
    """The time goes on, as a lease needs it to."""

    def __init__(self, now: datetime) -> None:
        self._began, self._now = time.monotonic(), now

    def __call__(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._began)


def memory(name: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at its highest since ``forget_peak``."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise ValueError(name)


class TestFiveThousand:
    @pytest.mark.soak
    def test_are_published_within_five_minutes_in_flat_memory(
        self, uploader: Actor, approver: Actor, now: datetime
    ) -> None:
        count = 5_000
        club(count)
        people = accounts(count, random.Random(1))
        files = {
            f"SOA_2026-05_{one.account_no}.pdf": single(one, lines=number % 20)
            for number, one in enumerate(people)
        }
        delivered = zip_file(files)
        files.clear()
        batch = receive(BatchKind.STATEMENT_ZIP, delivered, now=now, by=uploader).batch
        del delivered
        tick = Ticking(now)
        began = time.monotonic()
        work_on(batch_id=batch.pk, tick=tick)
        read = time.monotonic() - began
        approve_batch(batch=batch, by=approver, now=now)
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        work_on(batch_id=batch.pk, tick=tick)
        took, grew = time.monotonic() - began - read, memory("VmHWM") - before
        print(f"{count} items: read in {read:.0f} s, published and told in {took:.0f} s, +{grew:.0f} MiB")
        batch.refresh_from_db()
        assert batch.state == "PUBLISHED"
        assert Document.objects.published().count() == count
        assert took < 300
        assert grew < 64
