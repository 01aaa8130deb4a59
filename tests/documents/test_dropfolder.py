from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Member
from documents.models import DroppedFile, ImportBatch
from documents.services.dropfolder import LEASE, Looked, scan_dropfolder
from tests.documents.batches.delivery import balance, balances_file

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.FINANCE_DROP_FOLDER = str(tmp_path)
    (tmp_path / "balances" / "2026-05").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def drop(folder: Path, owner: Member) -> Path:
    file = folder / "balances" / "2026-05" / "may.csv"
    file.write_bytes(balances_file(balance(owner.membership, 0, 1, 0, 1)).content.read())
    return file


def kept(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[2].partition("-")[2] for path in folder.iterdir())


class TestScanDropfolder:
    def test_takes_a_file_at_the_second_look_and_puts_it_away(
        self, drop: Path, folder: Path, now: datetime
    ) -> None:
        assert scan_dropfolder(now=now) == Looked(waiting=1)
        assert scan_dropfolder(now=now + MINUTE) == Looked(taken=1)
        batch = ImportBatch.objects.get()
        assert (batch.kind, batch.period, batch.source, batch.title) == (
            "balances", "2026-05", "drop_folder", "may.csv",
        )  # fmt: skip
        assert not drop.exists()
        assert kept(folder / "done") == ["may.csv"]
        assert DroppedFile.objects.count() == 0
        assert scan_dropfolder(now=now + 2 * MINUTE) == Looked()

    def test_waits_while_it_is_written(self, drop: Path, now: datetime) -> None:
        for minute in range(3):
            assert scan_dropfolder(now=now + minute * MINUTE) == Looked(waiting=1)
            with drop.open("ab") as file:
                file.write(b"more")
        scan_dropfolder(now=now + 3 * MINUTE)
        assert scan_dropfolder(now=now + 4 * MINUTE) == Looked(taken=1)

    def test_does_not_believe_two_looks_in_one_moment(self, drop: Path, now: datetime) -> None:
        scan_dropfolder(now=now)
        assert scan_dropfolder(now=now + timedelta(seconds=2)) == Looked(waiting=1)

    def test_leaves_alone_what_another_takes_until_its_lease_ran_out(self, drop: Path, now: datetime) -> None:
        scan_dropfolder(now=now)
        DroppedFile.objects.update(lease_until=now + LEASE)
        assert scan_dropfolder(now=now + MINUTE) == Looked(waiting=1)
        assert scan_dropfolder(now=now + LEASE) == Looked(taken=1)

    def test_puts_away_what_was_taken_before_it_was_moved(
        self, drop: Path, folder: Path, now: datetime
    ) -> None:
        content = drop.read_bytes()
        scan_dropfolder(now=now)
        scan_dropfolder(now=now + MINUTE)
        drop.write_bytes(content)  # as after a crash between the two
        scan_dropfolder(now=now + 2 * MINUTE)
        assert scan_dropfolder(now=now + 3 * MINUTE) == Looked(taken=1)
        assert ImportBatch.objects.count() == 1

    @pytest.mark.parametrize(
        ("place", "content", "said"),
        [
            ("balances/soon/may.csv", b"x", "Write the month as 2026-10"),
            ("balances/may.csv", b"x", "This kind belongs to a month."),
            ("balances/2026-05/empty.csv", b"", "There is no file in it"),
        ],
    )
    def test_puts_aside_what_is_refused_with_what_to_do(
        self, folder: Path, now: datetime, place: str, content: bytes, said: str
    ) -> None:
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        scan_dropfolder(now=now)
        assert scan_dropfolder(now=now + MINUTE) == Looked(failed=1)
        notes = list((folder / "failed").glob("*.txt"))
        assert said in notes[0].read_text()
        assert not file.exists()

    def test_never_follows_a_link_nor_takes_what_is_hidden_or_unfinished(
        self, drop: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory, now: datetime
    ) -> None:
        outside = tmp_path_factory.mktemp("outside")
        (outside / "secret.csv").write_text("secret")
        month = drop.parent
        (month / "link.csv").symlink_to(outside / "secret.csv")
        (folder / "balances" / "2026-06").symlink_to(outside)
        (month / ".hidden.csv").write_text("x")
        (month / "half.csv.part").write_text("x")
        scan_dropfolder(now=now)
        assert scan_dropfolder(now=now + MINUTE) == Looked(taken=1)
        assert (outside / "secret.csv").exists()

    def test_does_nothing_without_a_folder(self, settings: Any, now: datetime) -> None:
        settings.FINANCE_DROP_FOLDER = ""
        assert scan_dropfolder(now=now) == Looked()
