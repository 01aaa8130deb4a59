"""A published batch as a ZIP, made while it is sent."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
import zipfile
from datetime import datetime

import pytest
from django.core.files.storage import default_storage

from accounts.models import Member
from documents.models import BatchKind, ImportBatch
from documents.services import archives
from documents.services.archives import MANIFEST, batch_archive
from tests.documents.papers import file_in_batch, make_batch, make_document, name_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(now: datetime) -> ImportBatch:
    return make_batch(BatchKind.STATEMENT_ZIP, now=now)


def opened(batch: ImportBatch) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(batch_archive(batch))))
    assert archive.testzip() is None
    return archive


def manifest(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(MANIFEST).decode("utf-8-sig"))))


class TestBatchArchive:
    def test_holds_each_document_under_its_name_and_a_line_for_it(
        self, batch: ImportBatch, owner: Member, stranger: Member, now: datetime
    ) -> None:
        documents = [make_document(one.membership, "2026-05", now=now) for one in (owner, stranger)]
        file_in_batch(batch, *documents)
        make_document(owner.membership, "2026-04", now=now)  # of no batch
        archive = opened(batch)
        names = [f"SOA_2026-05_{one.membership.account_no}.pdf" for one in documents]
        assert archive.namelist() == [*names, MANIFEST]
        lines = manifest(archive)
        assert [line["file"] for line in lines] == names
        for line, document in zip(lines, documents, strict=True):
            assert line["sha256"] == hashlib.sha256(archive.read(line["file"])).hexdigest() == document.sha256
            assert (line["account_no"], line["stored"]) == (document.membership.account_no, "yes")

    def test_tells_equal_names_apart_and_keeps_that_of_the_manifest(
        self, batch: ImportBatch, owner: Member, now: datetime
    ) -> None:
        name_files(BatchKind.STATEMENT_ZIP, "manifest")
        file_in_batch(
            batch,
            *(
                make_document(
                    owner.membership,
                    f"2026-0{month}",
                    now=now,
                    body=b"a,b\n%d" % month,
                    media_type="text/csv",
                )
                for month in (1, 2)
            ),
        )
        assert opened(batch).namelist() == ["manifest (2).csv", "manifest (3).csv", MANIFEST]

    def test_is_in_any_script_and_no_formula(self, batch: ImportBatch, owner: Member, now: datetime) -> None:
        name_files(BatchKind.STATEMENT_ZIP, "=對帳單 Peña.pdf")
        owner.membership.account_no = "=1+1"
        owner.membership.save()
        file_in_batch(batch, make_document(owner.membership, "2026-05", now=now))
        archive = opened(batch)
        assert archive.namelist()[0] == "=對帳單 Peña.pdf"
        (line,) = manifest(archive)
        assert (line["file"], line["account_no"]) == ("'=對帳單 Peña.pdf", "'=1+1")

    def test_says_of_a_lost_file_that_it_is_missing(
        self, batch: ImportBatch, owner: Member, stranger: Member, now: datetime
    ) -> None:
        lost, there = (make_document(one.membership, "2026-05", now=now) for one in (owner, stranger))
        file_in_batch(batch, lost, there)
        default_storage.delete(lost.asset.key)
        archive = opened(batch)
        assert len(archive.namelist()) == 2
        assert [line["stored"] for line in manifest(archive)] == ["missing", "yes"]

    def test_of_an_empty_batch_is_a_manifest(self, batch: ImportBatch) -> None:
        archive = opened(batch)
        assert archive.namelist() == [MANIFEST]
        assert manifest(archive) == []

    def test_is_the_same_again(self, batch: ImportBatch, owner: Member, now: datetime) -> None:
        file_in_batch(batch, make_document(owner.membership, "2026-05", now=now))
        assert b"".join(batch_archive(batch)) == b"".join(batch_archive(batch))

    def test_takes_no_more_memory_for_more_files(
        self, batch: ImportBatch, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archives, "PAGE", 3)
        size = 3 * 1024 * 1024
        documents = [
            make_document(owner.membership, f"2026-{month:02}", now=now, body=bytes([month]) * size)
            for month in range(1, 11)
        ]
        file_in_batch(batch, *documents)
        tracemalloc.start()
        try:
            sent = sum(map(len, batch_archive(batch)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sent > len(documents) * size
        assert peak < 2 * size + 2 * 1024 * 1024
