"""A merged PDF, from its delivery to the members' statements and back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Channel, Member, Notification
from bcc.core.actors import Actor
from documents.models import Asset, BatchKind, Document, ImportBatch
from documents.parsers import pdfs
from documents.selectors.batches import counts_of
from documents.services import assets
from documents.services.batches.leases import take_lease
from documents.services.batches.receive import Delivered
from documents.services.batches.steps import reopen_batch, roll_back_batch
from tests.documents.batches.delivery import ends, publish, review, work
from tests.documents.corpus.people import Account, account_no, accounts
from tests.documents.corpus.statements import merged

pytestmark = pytest.mark.django_db
COUNT = 6


@pytest.fixture
def members(household: Callable[[str], Member]) -> list[Member]:
    return [household(account_no(number)) for number in range(1, COUNT + 1)]


@pytest.fixture
def merged_file(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    path = tmp_path / "merged.pdf"
    people: list[Account] = accounts(COUNT, random.Random(3))
    return path, merged(path, people, random.Random(3))


@pytest.fixture
def batch(merged_file: tuple[Path, dict[str, Any]], uploader: Actor, now: datetime) -> ImportBatch:
    path, _manifest = merged_file
    with path.open("rb") as content:
        delivered = Delivered(path.name, content)
        return review(BatchKind.STATEMENT_PDF, delivered, now=now, by=uploader, period="2026-10")


# What the corpus calls it, and how an item of it ends: the same pages again are no question for a person.
ENDS = {
    ("filed", ""): ("open", ""),
    ("quarantined", "cover"): ("quarantined", "cover_page"),
    ("quarantined", "no_text"): ("quarantined", "no_text"),
    ("quarantined", "unknown_account"): ("quarantined", "unknown_account"),
    ("quarantined", "twice"): ("duplicate", "duplicate_in_batch"),
}


class TestMergedPdf:
    def test_gives_each_document_to_its_account_and_says_why_of_the_rest(
        self, members: list[Member], batch: ImportBatch, merged_file: tuple[Path, dict[str, Any]]
    ) -> None:
        expected = merged_file[1]["items"]
        assert (batch.state, batch.failure_detail) == ("REVIEW", "")
        assert [(outcome, why) for _ordinal, outcome, why in ends(batch)] == [
            ENDS[one["expect"], one["why"]] for one in expected
        ]
        for item, one in zip(batch.items.order_by("ordinal"), expected, strict=True):
            assert (item.first_page, item.last_page) == (one["first"], one["last"])
            if one["expect"] == "filed":
                assert item.membership is not None
                assert item.membership.account_no == one["account_no"]
        assert batch.total == len(expected)
        assert counts_of(batch).is_reconciled

    def test_files_nothing_whose_number_does_not_stand_in_what_was_cut_out(
        self,
        merged_file: tuple[Path, dict[str, Any]],
        uploader: Actor,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        grouped = pdfs.group

        def mistaken(pages: Any) -> Iterator[pdfs.PageGroup]:
            for one in grouped(pages):
                yield replace(one, key=account_no(99)) if one.key else one

        monkeypatch.setattr(pdfs, "group", mistaken)
        path, _manifest = merged_file
        with path.open("rb") as content:
            delivered = Delivered(path.name, content)
            batch = review(BatchKind.STATEMENT_PDF, delivered, now=now, by=uploader, period="2026-10")
        assert (batch.state, batch.failure_code) == ("FAILED", "split_unverified")
        assert not batch.items.exists()

    def test_writes_nothing_but_items_before_it_is_approved(
        self, members: list[Member], batch: ImportBatch
    ) -> None:
        assert Document.objects.count() == 0
        assert Asset.objects.count() == 1, "the file as it came"

    def test_files_each_members_pages_and_tells_each_once(
        self, members: list[Member], batch: ImportBatch, approver: Actor, now: datetime, tmp_path: Path
    ) -> None:
        batch = publish(batch, by=approver, now=now)

        assert batch.state == "PUBLISHED"
        assert batch.told_at == now
        for member in members:
            document = Document.objects.readable_by(member).get()
            copy = tmp_path / "copy.pdf"
            copy.write_bytes(assets.read_asset(document.asset))
            assert pdfs.inspect(copy).pages == document.pages
            told = Notification.objects.filter(user=member.user, channel=Channel.IN_APP)
            assert [one.kind for one in told] == ["statement_published"]
        again = take_lease(batch_id=batch.pk, tick=lambda: now)
        assert again is None, "nothing is left to do"

    def test_is_taken_back_whole(
        self, members: list[Member], batch: ImportBatch, approver: Actor, now: datetime
    ) -> None:
        batch = publish(batch, by=approver, now=now)
        roll_back_batch(batch=batch, by=approver, now=now, reason="The wrong month.")

        batch.refresh_from_db()
        assert batch.state == "ROLLED_BACK"
        assert not Document.objects.published().exists()
        assert not batch.items.filed().exists()
        assert counts_of(batch).is_reconciled
        # Taken up again, the very same is published anew, under its own version.
        batch = work(reopen_batch(batch=batch, by=approver, now=now), now)
        batch = publish(batch, by=approver, now=now)
        assert Document.objects.published().count() == COUNT
        assert set(Document.objects.values_list("version", flat=True)) == {1}
