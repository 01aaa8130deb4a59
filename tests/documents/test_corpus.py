"""Finance's month, made up and read: everything is found where the manifest says, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.isolation import Refusal
from documents.parsers import archives, pdfs
from documents.parsers.names import account_key, compile_pattern
from documents.parsers.tables import read_rows
from tests.documents.columns import BY_KIND
from tests.documents.corpus.making import make
from tests.documents.corpus.zips import RECEIPT_PATTERN, STATEMENT_PATTERN

MEMBERS = 40
# What whoever files them finds out; reading them is fine.
FOUND_LATER = {"", "does_not_add_up", "unknown_account", "twice"}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    make(folder, members=MEMBERS)
    return folder


@pytest.fixture(scope="module")
def manifest(month: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((month / "manifest.json").read_text())
    return found


@pytest.fixture(scope="module")
def workers() -> Iterator[pdfs.Workers]:
    with pdfs.Workers() as found:
        yield found


def region_of(manifest: dict[str, Any]) -> pdfs.Region:
    left, top, width, height = manifest["account_box"]
    return pdfs.Region("head", left, top, width, height, manifest["account_label"])


class TestMergedStatements:
    def test_finds_whose_every_page_is(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers
    ) -> None:
        about = manifest["files"]["statements-merged.pdf"]
        path = month / "statements-merged.pdf"
        pages = list(pdfs.read_pages(path, [region_of(manifest)], workers=workers))
        assert [page.number for page in pages] == list(range(1, about["pages"] + 1))
        found = [(group.first, group.last, group.key) for group in pdfs.group(pages)]
        assert found == [
            (item["first"], item["last"], account_key(item["account_no"])) for item in about["items"]
        ]
        whys = [(item["why"] if not item["account_no"] else "") for item in about["items"]]
        assert [group.why for group in pdfs.group(pages)] == whys

    def test_reads_on_from_any_page(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers
    ) -> None:
        path, regions = month / "statements-merged.pdf", [region_of(manifest)]
        whole = list(pdfs.read_pages(path, regions, workers=workers))
        parts = [
            *pdfs.read_pages(path, regions, first=1, last=30, workers=workers),
            *pdfs.read_pages(path, regions, first=31, workers=workers),
        ]
        assert parts == whole

    def test_finds_known_numbers_without_a_label(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers
    ) -> None:
        known = {account_key(member["account_no"]) for member in manifest["members"]}
        upper = pdfs.Region("upper half", 0, 0, 216, 110)
        pages = pdfs.read_pages(month / "statements-merged.pdf", [upper], known=known, workers=workers)
        found = {page.key for page in pages}
        assert found == known | {""}

    def test_splits_into_the_same_bytes_each_time(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        about = manifest["files"]["statements-merged.pdf"]
        ranges = [
            pdfs.PageRange(item["first"], item["last"], account_key(item["account_no"]))
            for item in about["items"]
            if item["account_no"]
        ]
        hashes: list[list[str]] = []
        for name in ("once", "again"):
            folder = tmp_path / name
            folder.mkdir()
            made = pdfs.split(
                month / "statements-merged.pdf",
                ranges,
                folder,
                regions=[region_of(manifest)],
                workers=workers,
            )
            hashes.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in made])
            assert len(list(folder.iterdir())) == len(ranges)
        assert hashes[0] == hashes[1]
        # The statement that comes twice is the same document, wherever it stood.
        assert len(set(hashes[0])) == len(ranges) - 1

    def test_refuses_to_give_a_member_the_page_of_another(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        items = [item for item in manifest["files"]["statements-merged.pdf"]["items"] if item["account_no"]]
        wrong = pdfs.PageRange(items[0]["first"], items[0]["last"], account_key(items[1]["account_no"]))
        with pytest.raises(Refusal) as refused:
            list(
                pdfs.split(
                    month / "statements-merged.pdf",
                    [wrong],
                    tmp_path,
                    regions=[region_of(manifest)],
                    workers=workers,
                )
            )
        assert refused.value.code == "split_unverified"
        assert list(tmp_path.iterdir()) == []


class TestZips:
    @pytest.mark.parametrize(
        ("name", "pattern"), [("statements.zip", STATEMENT_PATTERN), ("receipts.zip", RECEIPT_PATTERN)]
    )
    def test_reads_whose_every_file_is(
        self, month: Path, manifest: dict[str, Any], name: str, pattern: str
    ) -> None:
        compiled = compile_pattern(pattern)
        found = []
        for member in archives.members(month / name):
            with member.open() as content:
                assert len(content.read()) == member.size
            values = compiled.read(member.name) or {}
            found.append((member.name, account_key(values.get("account_no", ""))))
            assert values.get("period", "2026-10") == "2026-10"
        assert found == [
            (item["name"], account_key(item["account_no"])) for item in manifest["files"][name]["items"]
        ]

    def test_sees_that_a_name_and_its_page_differ(
        self, month: Path, manifest: dict[str, Any], workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        compiled, regions = compile_pattern(STATEMENT_PATTERN), [region_of(manifest)]
        differ = []
        for member in archives.members(month / "statements.zip"):
            values = compiled.read(member.name)
            if values is None:
                continue
            place = tmp_path / "one.pdf"
            with member.open() as content:
                place.write_bytes(content.read())
            assert pdfs.inspect(place, workers=workers).is_plain
            page = next(pdfs.read_pages(place, regions, last=1, workers=workers))
            if page.key != account_key(values["account_no"]):
                differ.append(member.name)
        items = manifest["files"]["statements.zip"]["items"]
        assert differ == [item["name"] for item in items if item["why"] == "other_account"]


class TestTables:
    @pytest.mark.parametrize(
        "name",
        [
            "balances.csv",
            "balances.xlsx",
            "entries.csv",
            "entries.xlsx",
            "assessments.csv",
            "delinquency.txt",
            "member-master.xlsx",
        ],
    )
    def test_reads_every_row_as_the_manifest_says(
        self, month: Path, manifest: dict[str, Any], name: str
    ) -> None:
        about = manifest["files"][name]
        expected = {item["row"]: item for item in about["items"]}
        with read_rows(month / name, BY_KIND[about["kind"]]) as table:
            rows = list(table.rows)
        data = [number for number, item in expected.items() if item["expect"] != "skipped"]
        assert [row.number for row in rows] == data
        for row in rows:
            item = expected[row.number]
            codes = {problem.code for problem in row.problems}
            if item["why"] in FOUND_LATER:
                assert codes == set(), (row, item)
                assert row.values["account_no"] == item["account_no"] or name == "delinquency.txt"
            else:
                assert item["why"] in codes, (row, item)
            for column, value in item.get("values", {}).items():
                assert str(row.values[column]) == value, (row, item)
        skipped = {one.number: one.reason for one in table.skipped}
        told = {number: item["why"] for number, item in expected.items() if item["why"] in ("total", "note")}
        assert told.items() <= skipped.items()

    def test_tells_what_it_made_of_the_table(self, month: Path) -> None:
        with read_rows(month / "assessments.csv", BY_KIND["assessments"]) as table:
            list(table.rows)
        notes = {(note.code, note.detail) for note in table.notes}
        assert notes == {
            ("columns_swapped", "Account No. ↔ Description"),
            ("decimal_comma", "Amount"),
        }

    def test_compares_the_total_with_the_rows(self, month: Path) -> None:
        with read_rows(month / "balances.csv", BY_KIND["balances"]) as table:
            rows = list(table.rows)
        assert table.totals["previous"] == sum(row.values["previous"] for row in rows)  # type: ignore[misc]
        assert not [note for note in table.notes if note.code == "total_differs"]
