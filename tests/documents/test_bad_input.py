"""What somebody sends to break us: refused by a stable code, soon, in little memory, leaving nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.isolation import Refusal
from documents.parsers import archives, codes, pdfs
from documents.parsers.tables import Column, read_rows
from tests.documents import hostile

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10
MEGABYTES = 200


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every case, from one process that tried them all."""
    folder, scratch = tmp_path_factory.mktemp("cases"), tmp_path_factory.mktemp("scratch")
    done = subprocess.run(
        [sys.executable, "-m", "tests.documents.bad_input", str(folder)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


EXPECTED = [
    *((f"zip: {name}", frozenset({code})) for name, (code, _make) in hostile.ZIPS.items()),
    *((f"pdf: {name}", expected) for name, (expected, _make) in hostile.PDFS.items()),
    *((f"table: {name}", expected) for name, (expected, _make) in hostile.TABLES.items()),
]


class TestHostileFiles:
    @pytest.mark.parametrize(("case", "expected"), EXPECTED, ids=[case for case, _codes in EXPECTED])
    def test_are_refused_for_what_they_are(
        self, told: dict[str, Any], case: str, expected: frozenset[str]
    ) -> None:
        found = told["cases"][case]
        assert found["code"] in expected
        assert found["code"] in codes.REFUSALS | {""}
        assert found["left"] == []

    def test_take_little_time_memory_and_disk(self, told: dict[str, Any]) -> None:
        cases = told["cases"].items()
        assert {name: one["seconds"] for name, one in cases if one["seconds"] >= SECONDS} == {}
        assert {name: one for name, one in cases if one["memory_kib"] > MEGABYTES * 1024} == {}
        assert {name: one for name, one in cases if one["disk_kib"] > MEGABYTES * 1024} == {}
        assert told["child_kib"] < MEGABYTES * 1024


@pytest.fixture(scope="module")
def workers() -> Iterator[pdfs.Workers]:
    with pdfs.Workers(1) as found:
        yield found


class TestActivePdfs:
    @pytest.mark.parametrize("name", hostile.ACTIVE)
    def test_are_seen_and_nothing_active_is_filed(
        self, name: str, workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        path = hostile.write(hostile.active(name), tmp_path, "in.pdf")
        facts = pdfs.inspect(path, workers=workers)
        assert not facts.is_plain
        assert facts.has_scripts or facts.has_attachments
        folder = tmp_path / "out"
        folder.mkdir()
        ranges = [pdfs.PageRange(1, facts.pages, "D0001")]
        region = pdfs.Region("head", 110, 22, 95, 16, "Account No.")
        (made,) = pdfs.split(path, ranges, folder, regions=[region], workers=workers)
        assert pdfs.inspect(made, workers=workers).is_plain
        content = made.read_bytes()
        assert not any(
            word in content for word in (b"JavaScript", b"app.alert", b"Launch", b"MZ evil", b"evil")
        )

    def test_plain_ones_are_plain(self, workers: pdfs.Workers, tmp_path: Path) -> None:
        content = hostile.statement()
        assert pdfs.inspect(hostile.write(content, tmp_path, "in.pdf"), workers=workers).is_plain

    def test_one_that_only_forbids_is_read_and_filed_without_that(
        self, workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        path = hostile.write(hostile.with_password(""), tmp_path, "in.pdf")
        facts = pdfs.inspect(path, workers=workers)
        assert facts.is_encrypted
        (made,) = pdfs.split(path, [pdfs.PageRange(1, 1)], tmp_path, workers=workers)
        assert not pdfs.inspect(made, workers=workers).is_encrypted

    def test_a_broken_one_is_repaired_and_says_so(self, workers: pdfs.Workers, tmp_path: Path) -> None:
        path = hostile.write(hostile.without_its_table(), tmp_path, "in.pdf")
        facts = pdfs.inspect(path, workers=workers)
        assert facts.is_repaired
        assert not facts.is_plain
        (page, *_more) = pdfs.read_pages(
            path, [pdfs.Region("head", 110, 22, 95, 16, "Account No.")], workers=workers
        )
        assert page.key == "D0001"


class TestThumbnail:
    def test_is_a_picture_of_the_page(self, tmp_path: Path) -> None:
        path = hostile.write(hostile.statement(), tmp_path, "in.pdf")
        picture = pdfs.thumbnail(path, 1, 300)
        assert picture[:4] == b"RIFF"
        assert picture[8:12] == b"WEBP"

    def test_refuses_a_page_that_is_not_there(self, tmp_path: Path) -> None:
        path = hostile.write(hostile.statement(), tmp_path, "in.pdf")
        with pytest.raises(Refusal) as refused:
            pdfs.thumbnail(path, 99, 300)
        assert refused.value.code == "page_missing"


class TestFormulas:
    def test_are_problems_of_their_cells_whatever_they_show(self, tmp_path: Path) -> None:
        cells = (
            '<row r="1"><c r="A1" t="inlineStr"><is><t>Account No.</t></is></c>'
            '<c r="B1" t="inlineStr"><is><t>Amount</t></is></c></row>'
            '<row r="2"><c r="A2" t="inlineStr"><is><t>D-0001</t></is></c>'
            '<c r="B2"><f>1+1</f><v>2</v></c></row>'
            '<row r="3"><c r="A3" t="inlineStr"><is><t>D-0002</t></is></c><c r="B3"><v>3</v></c></row>'
        )
        path = hostile.write(
            hostile.with_part("xl/worksheets/sheet1.xml", hostile.sheet(cells)), tmp_path, "in.xlsx"
        )
        columns = (Column("account_no", ("Account No.",), "account"), Column("amount", ("Amount",), "money"))
        with read_rows(path, columns) as table:
            first, second = table.rows
        assert [(one.column, one.code) for one in first.problems] == [("amount", "formula")]
        assert first.values["amount"] is None
        assert second.problems == []


class TestArchiveMember:
    def test_gives_sound_members_beside_a_broken_one(self, tmp_path: Path) -> None:
        broken = hostile.ZIPS["an archive called PDF"][1]
        path = hostile.write(
            hostile.zip_of(("a.pdf", b"%PDF a"), ("b.pdf", broken()), ("c.pdf", b"%PDF c")),
            tmp_path,
            "in.zip",
        )
        outcomes = []
        for member in archives.members(path):
            try:
                with member.open() as content:
                    outcomes.append(content.read())
            except Refusal as refusal:
                outcomes.append(refusal.code.encode())
        assert outcomes == [b"%PDF a", b"nested_archive", b"%PDF c"]

    def test_reads_two_members_in_turn(self, tmp_path: Path) -> None:
        contents = [bytes([number]) * 300_000 for number in (1, 2)]
        path = hostile.write(
            hostile.zip_of(("a.bin", contents[0]), ("b.bin", contents[1])), tmp_path, "in.zip"
        )
        opened = [member.open() for member in archives.members(path)]
        # After the last member the archive is closed, and says so.
        with pytest.raises(ValueError, match="closed file"):
            opened[0].read()
        walk = archives.members(path)
        first, second = next(walk).open(), next(walk).open()
        parts: list[list[bytes]] = [[], []]
        for _turn in range(10):
            parts[0].append(first.read(50_000))
            parts[1].append(second.read(50_000))
        assert [b"".join(part) for part in parts] == contents
        walk.close()  # type: ignore[attr-defined]
