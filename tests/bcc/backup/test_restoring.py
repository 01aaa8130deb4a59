"""Bringing a club back, and failing in the middle."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bcc.management.archive import restore, swap
from bcc.management.archive.errors import ArchiveError, HalfwayError, RefusedError
from bcc.management.archive.restore import missing_migrations
from bcc.management.archive.verify import verify_archive
from bcc.management.archive.workplace import RESTORING
from tests.bcc.backup.damage import (
    change_everything,
    lose_everything,
    staged_of,
)
from tests.bcc.backups import (
    Club,
    Parts,
    rewrite,
    rewrite_manifest,
)


class TestRestore:
    @pytest.mark.parametrize("lose", [lose_everything, change_everything])
    def test_brings_everything_back(self, club: Club, archive: Path, lose: Callable[[Club], None]) -> None:
        before = club.state()
        lose(club)
        club.restore(archive)
        assert club.state() == before
        assert club.left_over() == []
        assert club.execute("PRAGMA integrity_check") == [("ok",)]

    def test_brings_times_and_modes_back(self, club: Club) -> None:
        file, database = club.files / "01" / "picture 1 ñ.bin", club.database
        file.chmod(0o640)
        os.utime(file, (1_000_000_000, 1_000_000_000))
        database.chmod(0o660)
        club.restore(club.back_up())
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert file.stat().st_mtime == 1_000_000_000
        assert stat.S_IMODE(database.stat().st_mode) == 0o660

    def test_takes_no_log_of_another_database_for_its_own(self, club: Club, archive: Path) -> None:
        before = club.state()
        club.database.unlink()
        club.database.with_name("bcc.sqlite3-wal").write_bytes(b"another's")
        club.restore(archive)
        assert club.state() == before
        assert club.left_over() == []

    def test_replaces_a_database_that_is_damaged(self, club: Club, archive: Path) -> None:
        before = club.state()
        club.database.write_bytes(b"no database" * 1000)
        club.restore(archive)
        assert club.state() == before

    @pytest.mark.parametrize("mode", ["WAL", "DELETE"])
    def test_refuses_while_the_database_is_in_use(self, club: Club, archive: Path, mode: str) -> None:
        with closing(sqlite3.connect(club.database, isolation_level=None)) as server:
            server.execute(f"PRAGMA journal_mode={mode}")
            if mode == "DELETE":
                server.execute("BEGIN IMMEDIATE")
            server.execute("SELECT count(*) FROM accounts_member").fetchone()
            with pytest.raises(RefusedError, match="stop the server"):
                club.restore(archive)
            assert server.execute("PRAGMA journal_mode").fetchone() == (mode.lower(),)

    def test_refuses_when_the_server_starts_between_verifying_and_exchanging(
        self, club: Club, archive: Path
    ) -> None:
        change_everything(club)
        before = club.state()
        with staged_of(club, archive) as staged, closing(sqlite3.connect(club.database)) as server:
            server.execute("PRAGMA journal_mode=WAL")
            server.execute("SELECT count(*) FROM accounts_member").fetchone()
            with pytest.raises(RefusedError, match="stop the server"):
                restore.put_in_place(engine=club.engine, staged=staged, say=print)
        assert club.state() == before
        assert club.left_over() == []

    def test_refuses_another_engine(self, club: Club, archive: Path) -> None:
        def of_postgresql(parts: Parts) -> Parts:
            parts[0][0].name = "database.dump"
            return parts

        rewrite(archive, of_postgresql)
        rewrite_manifest(
            archive,
            lambda said: said.update(
                engine="postgresql",
                members=[{**said["members"][0], "name": "database.dump"}, *said["members"][1:]],
            ),
        )
        with pytest.raises(RefusedError, match="is of postgresql, and this club's database is sqlite"):
            club.restore(archive)

    def test_refuses_an_archive_of_newer_code(self, club: Club) -> None:
        club.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '9999_next', '2027')"
        )
        made = club.back_up()
        with pytest.raises(RefusedError, match=r"newer than this code.*accounts\.9999_next"):
            club.restore(made)

    def test_refuses_a_format_of_newer_code(self, club: Club, archive: Path) -> None:
        rewrite_manifest(archive, lambda said: said.update(format=2))
        with pytest.raises(RefusedError, match="update the code"):
            club.restore(archive)

    def test_takes_an_archive_of_older_code(self, club: Club) -> None:
        club.execute("DELETE FROM django_migrations WHERE app = 'metrics'")
        made = club.back_up()
        club.restore(made)
        missing = missing_migrations(verify_archive(made))
        assert missing
        assert {app for app, _name in missing} == {"metrics"}


class TestFailureInTheMiddle:
    @pytest.fixture
    def before(self, club: Club, archive: Path) -> Any:
        change_everything(club)
        return club.state()

    @pytest.mark.parametrize("error", [OSError("the disk is gone"), KeyboardInterrupt()])
    @pytest.mark.parametrize("move", range(4))
    def test_puts_the_old_state_back(
        self,
        club: Club,
        archive: Path,
        before: Any,
        monkeypatch: pytest.MonkeyPatch,
        move: int,
        error: BaseException,
    ) -> None:
        done = 0
        real = swap.PathSwap._move

        def failing(self: swap.PathSwap, source: Path, goal: Path) -> None:
            nonlocal done
            if done == move:
                raise error
            done += 1
            real(self, source, goal)

        monkeypatch.setattr(swap.PathSwap, "_move", failing)
        with pytest.raises(type(error)):
            club.restore(archive)
        assert done == move
        assert club.state() == before
        assert club.left_over() == []

    def test_puts_the_old_state_back_where_the_new_is_not_what_it_should_be(
        self, club: Club, archive: Path, before: Any
    ) -> None:
        with staged_of(club, archive) as staged:
            next(path for path in staged.files.rglob("*") if path.is_file()).write_bytes(b"the disk lies")
            with pytest.raises(ArchiveError, match="not what the archive says"):
                restore.put_in_place(engine=club.engine, staged=staged, say=print)
        assert club.state() == before
        assert club.left_over() == []

    def test_keeps_the_old_state_where_it_cannot_be_put_back(
        self, club: Club, archive: Path, before: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise OSError("the disk is gone")

        with monkeypatch.context() as patched:
            patched.setattr(restore, "_compare", fail)
            patched.setattr(swap.PathSwap, "put_back", fail)
            with pytest.raises(HalfwayError, match="it is kept in"):
                club.restore(archive)
        kept = [path.name for folder in club.folder.glob(f"{RESTORING}*") for path in folder.glob("old/*")]
        assert sorted(kept) == ["bcc.sqlite3", "files"]
        with pytest.raises(RefusedError, match="An earlier restore was cut short"):
            club.restore(archive)
