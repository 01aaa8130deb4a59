"""Damaged files end in a Refusal or in an answer, never in another error; more of them by ``make soak``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from documents.isolation import Refusal
from documents.parsers import archives, codes, pdfs
from documents.parsers.tables import read_rows
from tests.documents import hostile
from tests.documents.columns import BY_KIND
from tests.documents.corpus import sheets, statements, zips
from tests.documents.corpus.people import accounts
from tests.documents.mutator import mutated, mutated_inside

PEOPLE = accounts(6, random.Random(1))
REGIONS = [pdfs.Region("head", 110, 22, 95, 16, "Account No.")]
# How many are read and how many are refused of so many damaged ones, at least: else nothing was tried.
FEW = {"pdf": 60, "zip": 60, "xlsx": 12, "csv": 80}
MANY = {"pdf": 2_500, "zip": 2_500, "xlsx": 500, "csv": 3_000}


@pytest.fixture(scope="module")
def workers() -> Iterator[pdfs.Workers]:
    with pdfs.Workers(1) as found:
        yield found


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    statements.merged(folder / "a.pdf", PEOPLE, random.Random(1))
    zips.statements_zip(folder / "a.zip", PEOPLE[:2])
    sheets.balances_xlsx(folder / "a.xlsx", PEOPLE)
    sheets.balances_csv(folder / "a.csv", PEOPLE)
    return {kind: (folder / f"a.{kind}").read_bytes() for kind in FEW}


class TestDamagedFiles:
    @pytest.mark.parametrize("kind", FEW)
    def test_are_refused_or_read(
        self, kind: str, sound: dict[str, bytes], workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        self.try_all(kind, sound[kind], workers, tmp_path, count=FEW[kind], seed=1)

    @pytest.mark.soak
    @pytest.mark.parametrize("kind", MANY)
    def test_are_refused_or_read_however_many(
        self, kind: str, sound: dict[str, bytes], workers: pdfs.Workers, tmp_path: Path
    ) -> None:
        self.try_all(kind, sound[kind], workers, tmp_path, count=MANY[kind], seed=2)

    def try_all(
        self, kind: str, content: bytes, workers: pdfs.Workers, folder: Path, *, count: int, seed: int
    ) -> None:
        read = self.reader(kind, workers, folder)
        is_zip = kind in ("zip", "xlsx")
        read(hostile.write(content, folder, "sound"))
        refused = 0
        for number in range(count):
            dice = random.Random(f"{kind} {seed} {number}")
            damage = mutated_inside if is_zip and number % 2 else mutated
            path = hostile.write(damage(content, dice), folder, "damaged")
            try:
                read(path)
            except Refusal as refusal:
                if refusal.code not in codes.REFUSALS:
                    pytest.fail(f"{kind}, seed {seed}, number {number}: {refusal.code} is in no list")
                refused += 1
            except Exception as error:
                raise AssertionError(f"{kind}, seed {seed}, number {number}") from error
        assert 0 < refused < count

    def reader(self, kind: str, workers: pdfs.Workers, folder: Path) -> Callable[[Path], None]:
        def read_pdf(path: Path) -> None:
            facts = pdfs.inspect(path, workers=workers)
            pages = list(pdfs.read_pages(path, REGIONS, workers=workers))
            assert len(pages) == facts.pages
            groups = [group for group in pdfs.group(pages) if group.key]
            ranges = [pdfs.PageRange(group.first, group.last, group.key) for group in groups]
            cut = folder / "cut"
            cut.mkdir(exist_ok=True)
            try:
                for made in pdfs.split(path, ranges, cut, regions=REGIONS, workers=workers):
                    made.unlink()
            finally:
                for left in cut.iterdir():
                    left.unlink()

        def read_zip(path: Path) -> None:
            broken = []
            for member in archives.members(path):
                try:
                    with member.open() as stream:
                        assert len(stream.read()) == member.size
                except Refusal as refusal:
                    broken.append(refusal)
            if broken:
                raise broken[0]

        def read_table(path: Path) -> None:
            with read_rows(path, BY_KIND["balances"]) as table:
                for row in table.rows:
                    assert {problem.code for problem in row.problems} <= codes.PROBLEMS
                assert {note.code for note in table.notes} <= codes.NOTES

        return {"pdf": read_pdf, "zip": read_zip}.get(kind, read_table)
