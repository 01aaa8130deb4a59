"""PDFs that come a file each: by their names, in a ZIP or alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

import pytest

from accounts.models import Channel, Member, Notification
from bcc.core.actors import Actor
from documents.models import BatchKind, Document, ImportBatch
from documents.selectors.batches import counts_of
from documents.services.batches.deciding import accept_item, reassign_item
from tests.documents.batches.delivery import PERIOD, ends, item_of, publish, receive, review, work, zip_file
from tests.documents.corpus.people import Account, accounts
from tests.documents.corpus.statements import single

pytestmark = pytest.mark.django_db
PEOPLE: list[Account] = accounts(4, random.Random(5))


def pdf(number: int, lines: int = 2) -> bytes:
    return single(PEOPLE[number - 1], lines=lines)


@pytest.fixture
def members(household: Callable[[str], Member]) -> list[Member]:
    return [household(f"D-{number:04d}") for number in range(1, 4)]


@pytest.fixture
def deliver(members: list[Member], uploader: Actor, now: datetime) -> Callable[..., ImportBatch]:
    def run(files: dict[str, bytes], kind: BatchKind = BatchKind.STATEMENT_ZIP) -> ImportBatch:
        return review(kind, zip_file(files), now=now, by=uploader)

    return run


class TestStatementZip:
    def test_files_each_member_of_it_by_its_name(
        self,
        members: list[Member],
        deliver: Callable[..., ImportBatch],
        approver: Actor,
        now: datetime,
    ) -> None:
        batch = deliver(
            {
                "may/SOA_2026-05_D-0001.pdf": pdf(1),
                "may/SOA_D0002_052026.pdf": pdf(2),
                "may/SOA_2026-05_D-0009.pdf": pdf(3),
                "may/readme.txt": b"nothing",
                "may/SOA_2026-04_D-0003.pdf": pdf(3),
                "may/Scan 17.pdf": pdf(4),
                "may/Scan of page two, 17.pdf": pdf(4, lines=1),
            }
        )
        assert ends(batch) == [
            (1, "open", ""),
            (2, "open", ""),
            (3, "quarantined", "unknown_account"),
            (4, "quarantined", "not_a_pdf"),
            (5, "quarantined", "wrong_period"),
            (6, "quarantined", "unknown_account"),
            (7, "quarantined", "name_unread"),
        ]
        batch = publish(batch, by=approver, now=now)
        assert Document.objects.published().count() == 2
        assert Document.objects.readable_by(members[0]).get().pages == 1
        assert counts_of(batch).is_reconciled

    def test_zipped_again_in_another_order_is_all_duplicates(
        self, deliver: Callable[..., ImportBatch], approver: Actor, uploader: Actor, now: datetime
    ) -> None:
        files = {f"SOA_2026-05_D-{number:04d}.pdf": pdf(number) for number in (1, 2, 3)}
        publish(deliver(files), by=approver, now=now)
        received = receive(
            BatchKind.STATEMENT_ZIP,
            zip_file(dict(reversed(files.items())), name="again.zip"),
            now=now,
            by=uploader,
        )
        assert received.is_new
        again = work(received.batch, now)
        assert ends(again) == [(number, "duplicate", "already_filed") for number in (1, 2, 3)]
        assert Document.objects.count() == 3
        assert Notification.objects.filter(channel=Channel.IN_APP).count() == 3

    def test_of_other_bytes_waits_and_takes_the_place_when_it_is_accepted(
        self,
        members: list[Member],
        deliver: Callable[..., ImportBatch],
        approver: Actor,
        uploader: Actor,
        now: datetime,
    ) -> None:
        publish(deliver({"SOA_2026-05_D-0001.pdf": pdf(1)}), by=approver, now=now)
        batch = deliver({"SOA_2026-05_D-0001.pdf": pdf(1, lines=3), "SOA_2026-05_D-0002.pdf": pdf(2)})
        assert ends(batch) == [(1, "quarantined", "other_version"), (2, "open", "")]
        accept_item(item=item_of(batch, 1), by=uploader, now=now, reason="The first lacked a chit.")
        publish(batch, by=approver, now=now)
        versions = Document.objects.filter(membership=members[0].membership).order_by("version")
        assert [(one.version, one.state) for one in versions] == [(1, "superseded"), (2, "published")]

    def test_says_so_of_the_very_same_file_of_another_month(
        self,
        members: list[Member],
        deliver: Callable[..., ImportBatch],
        uploader: Actor,
        approver: Actor,
        now: datetime,
    ) -> None:
        publish(deliver({"SOA_D-0001.pdf": pdf(1)}), by=approver, now=now)
        june = review(
            BatchKind.STATEMENT_ZIP,
            zip_file({"SOA_D-0001.pdf": pdf(1)}),
            now=now,
            by=uploader,
            period="2026-06",
        )
        assert ends(june) == [(1, "quarantined", "filed_elsewhere")]
        assert PERIOD in item_of(june, 1).detail

    def test_without_a_readable_name_is_given_by_hand(
        self,
        members: list[Member],
        deliver: Callable[..., ImportBatch],
        uploader: Actor,
        approver: Actor,
        now: datetime,
    ) -> None:
        batch = deliver({"Scan 17.pdf": pdf(2)})
        reassign_item(
            item=item_of(batch, 1), membership=members[1].membership, by=uploader, now=now, reason="Seen."
        )
        publish(ImportBatch.objects.get(pk=batch.pk), by=approver, now=now)
        assert Document.objects.readable_by(members[1]).count() == 1

    def test_waits_where_the_page_is_another_accounts_than_the_name_or_the_clerk_says(
        self, members: list[Member], deliver: Callable[..., ImportBatch], uploader: Actor, now: datetime
    ) -> None:
        batch = deliver({"SOA_2026-05_D-0001.pdf": pdf(2), "Scan 17.pdf": pdf(3)})
        assert ends(batch)[0] == (1, "quarantined", "other_account")
        assert item_of(batch, 1).detail == "D-0002"
        item = reassign_item(
            item=item_of(batch, 2), membership=members[0].membership, by=uploader, now=now, reason="Seen."
        )
        assert (item.outcome, item.severity, item.reason) == ("quarantined", "waits", "other_account")


class TestPapers:
    def test_are_receipts_and_notices_with_a_number_each(
        self, members: list[Member], deliver: Callable[..., ImportBatch], approver: Actor, now: datetime
    ) -> None:
        batch = deliver(
            {
                "OR_10023_D-0001.pdf": pdf(1),
                "OR_10024_D-0001.pdf": pdf(1, lines=1),
                "NOTICE_D-0001_dues.pdf": pdf(2),
            },
            BatchKind.PAPERS,
        )
        publish(batch, by=approver, now=now)
        found = Document.objects.published().order_by("kind", "number").values_list("kind", "number")
        assert list(found) == [
            ("notice", "NOTICE_D-0001_dues"),
            ("receipt", "10023"),
            ("receipt", "10024"),
        ]
        told = Notification.objects.filter(channel=Channel.IN_APP, user=members[0].user)
        assert sorted(one.kind for one in told) == ["document_published"] * 3
