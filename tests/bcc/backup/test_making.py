"""Making archives of a club on SQLite."""

from __future__ import annotations

import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bcc.management.archive import backup
from bcc.management.archive.engines import engine_of
from bcc.management.archive.errors import ArchiveError, RefusedError
from bcc.management.archive.files import stored_files
from bcc.management.archive.verify import verify_archive
from tests.bcc.backup.damage import (
    lose_everything,
)
from tests.bcc.backups import (
    FILES,
    MADE_AT,
    Club,
)


class TestMakeBackup:
    def test_holds_every_row_and_file_and_says_so(self, club: Club, archive: Path) -> None:
        manifest = verify_archive(archive)
        assert archive == club.folder / "backups" / "bcc-20260601T000000Z.tar.gz"
        assert manifest.made_at == MADE_AT
        assert manifest.project_version == backup.project_version()
        assert manifest.contents.rows["accounts_member"] == 50
        assert sum(manifest.contents.rows.values()) > 300
        assert {
            name.removeprefix("files/"): manifest.members[name] for name in manifest.files
        } == club.hashes()
        assert len(manifest.files) == FILES

    def test_leaves_out_keys_and_everything_else_of_the_folder(self, club: Club) -> None:
        (club.folder / "demo-sign-ins.txt").write_text("secret")
        with tarfile.open(club.back_up()) as tar:
            others = [name for name in tar.getnames() if not name.startswith("files/")]
        assert others == ["database.sqlite3", "manifest.json"]

    def test_is_for_its_owner_only_and_leaves_nothing_beside(self, archive: Path) -> None:
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        assert stat.S_IMODE(archive.parent.stat().st_mode) == 0o700
        assert list(archive.parent.iterdir()) == [archive]

    def test_takes_what_only_the_log_of_the_running_database_holds(self, club: Club) -> None:
        with closing(sqlite3.connect(club.database, isolation_level=None)) as server:
            server.execute("PRAGMA journal_mode=WAL")
            server.execute("PRAGMA wal_autocheckpoint=0")
            server.execute("UPDATE accounts_member SET first_name = 'Written a moment ago'")
            made = club.back_up()
        lose_everything(club)
        club.restore(made)
        assert club.execute("SELECT DISTINCT first_name FROM accounts_member") == [("Written a moment ago",)]

    def test_takes_a_folder_or_a_file(self, club: Club, tmp_path: Path) -> None:
        assert club.back_up(tmp_path / "new" / "folder").parent == tmp_path / "new" / "folder"
        assert club.back_up(tmp_path / "own.tar.gz") == tmp_path / "own.tar.gz"

    def test_refuses_to_overwrite(self, club: Club, archive: Path) -> None:
        before = archive.read_bytes()
        with pytest.raises(RefusedError, match="exists and stays"):
            club.back_up()
        assert archive.read_bytes() == before

    def test_refuses_to_overwrite_what_came_meanwhile(
        self, club: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = tmp_path / "own.tar.gz"
        monkeypatch.setattr(backup, "_add_files", lambda *args: target.write_text("another's"))
        with pytest.raises(RefusedError, match="meanwhile"):
            club.back_up(target)
        assert target.read_text() == "another's"

    def test_refuses_a_place_among_the_stored_files(self, club: Club) -> None:
        with pytest.raises(RefusedError, match="among the stored files"):
            club.back_up(club.files / "00")

    def test_refuses_a_club_without_a_database(self, club: Club) -> None:
        club.database.unlink()
        with pytest.raises(ArchiveError, match="migrate"):
            club.back_up()
        assert not club.database.exists()

    def test_refuses_a_database_that_is_damaged(self, club: Club) -> None:
        with club.database.open("r+b") as file:
            file.seek(40 * 4096)
            file.write(b"\xff" * 4096 * 20)
        with pytest.raises(ArchiveError, match=r"damaged|malformed"):
            club.back_up()
        assert list((club.folder / "backups").iterdir()) == []

    def test_refuses_a_link_among_the_files_rather_than_lose_it(self, club: Club, tmp_path: Path) -> None:
        (club.files / "link").symlink_to(tmp_path)
        with pytest.raises(ArchiveError, match="is a link"):
            club.back_up()
        assert list((club.folder / "backups").iterdir()) == []

    def test_passes_over_a_file_that_goes_while_it_is_made(
        self, club: Club, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = [*stored_files(club.files), ("files/gone", club.files / "gone")]
        monkeypatch.setattr(backup, "stored_files", lambda folder: there)
        assert "files/gone" not in verify_archive(club.back_up()).members

    def test_gives_up_where_a_file_gets_shorter_while_it_is_read(
        self, club: Club, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fstat = os.fstat

        def longer(handle: int) -> os.stat_result:
            found = fstat(handle)
            return os.stat_result((*found[:6], found.st_size + 1, *found[7:10]))

        monkeypatch.setattr("bcc.management.archive.container.os.fstat", longer)
        with pytest.raises(ArchiveError, match="shorter while it was read"):
            club.back_up()

    def test_removes_what_a_killed_one_left(self, club: Club) -> None:
        left = club.folder / "backups" / ".bcc-backup-killed"
        left.mkdir(parents=True)
        (left / "archive").write_text("half")
        club.back_up()
        assert not left.exists()

    def test_keeps_the_newest(self, club: Club) -> None:
        folder = club.folder / "backups"
        folder.mkdir()
        for foreign in ("notes.txt", "bcc-before-the-move.tar.gz", "bcc-20200101T000000Z.tar.gz.part"):
            (folder / foreign).write_text("stays")
        made = [club.back_up(now=MADE_AT + timedelta(days=day)) for day in range(3)]
        made.append(club.back_up(keep=2, now=MADE_AT + timedelta(days=3)))
        assert [path.exists() for path in made] == [False, False, True, True]
        assert len(list(folder.iterdir())) == 5


class TestEngineOf:
    def test_names_the_command_of_sql_server(self) -> None:
        server = SimpleNamespace(vendor="microsoft", settings_dict={"NAME": "bcc"})
        with pytest.raises(RefusedError, match=r"BACKUP DATABASE \[bcc\].*WITH CHECKSUM, COPY_ONLY"):
            engine_of(cast("Any", server))

    def test_knows_no_other(self) -> None:
        with pytest.raises(RefusedError, match="oracle"):
            engine_of(cast("Any", SimpleNamespace(vendor="oracle", settings_dict={})))
