"""Archives of a club on SQLite: made, verified, restored, and refused when anything is wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import os
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pytest_django import Settings

from bcc.management.archive import backup, restore, swap
from bcc.management.archive.container import hash_file
from bcc.management.archive.engines import engine_of
from bcc.management.archive.errors import ArchiveError, DamagedArchiveError, HalfwayError, RefusedError
from bcc.management.archive.files import stored_files
from bcc.management.archive.restore import missing_migrations
from bcc.management.archive.verify import verify_archive
from bcc.management.archive.workplace import RESTORING
from tests.bcc.backups import (
    FILES,
    MADE_AT,
    Club,
    Parts,
    append_to_stream,
    copied,
    fill,
    rewrite,
    rewrite_manifest,
)

pytestmark = pytest.mark.xdist_group("backup")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Club:
    folder = tmp_path_factory.mktemp("original")
    fill(folder)
    return Club(folder)


@pytest.fixture
def club(original: Club, tmp_path: Path, settings: Settings) -> Club:
    """A copy for one test to spoil, which the settings name."""
    copy = copied(original, tmp_path / "club")
    settings.DATA_DIR = copy.folder
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(copy.files)},
        },
    }
    return copy


@pytest.fixture
def archive(club: Club) -> Path:
    return club.back_up()


def lose_everything(club: Club) -> None:
    club.database.unlink()
    for path in sorted(club.files.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    club.files.rmdir()


def change_everything(club: Club) -> None:
    club.execute("INSERT INTO django_content_type (app_label, model) VALUES ('a', 'b')")
    club.execute("UPDATE accounts_member SET first_name = 'Changed'")
    (club.files / "00" / "new.bin").write_bytes(b"new")
    (club.files / "01" / "picture 1 ñ.bin").unlink()


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


def flip(data: bytes, at: int) -> bytes:
    """With a few bytes turned over: a single bit may be one that unpacks to the same."""
    turned = bytes(byte ^ 0xFF for byte in data[at : at + 4])
    return data[:at] + turned + data[at + 4 :]


def regular(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def link(name: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info, b""


def with_more(*more: tuple[tarfile.TarInfo, bytes]) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda parts: [*parts[:-1], *more, parts[-1]])


def with_other_content(path: Path) -> None:
    def changed(parts: Parts) -> Parts:
        info, content = parts[-2]
        return [*parts[:-2], (info, flip(content, 5)), parts[-1]]

    rewrite(path, changed)


def with_a_broken_database(path: Path) -> None:
    """The hash is right, the database is not."""
    digests: list[str] = []

    def changed(parts: Parts) -> Parts:
        info, content = parts[0]
        broken = content[: 40 * 4096] + b"\xff" * 4096 * 20 + content[60 * 4096 :]
        digests.append(hashlib.sha256(broken).hexdigest())
        return [(info, broken), *parts[1:]]

    rewrite(path, changed)
    rewrite_manifest(path, lambda said: said["members"][0].update(sha256=digests[0]))


def with_manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return lambda path: rewrite_manifest(path, lambda said: cast("None", change(said)))


def with_manifest_text(text: bytes) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda parts: [*parts[:-1], (parts[-1][0], text)])


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "checksum cut": lambda path: path.write_bytes(path.read_bytes()[:-8]),
    "byte flipped early": lambda path: path.write_bytes(flip(path.read_bytes(), 400)),
    "byte flipped in the middle": lambda path: path.write_bytes(
        flip(path.read_bytes(), path.stat().st_size // 2)
    ),
    "byte flipped in the checksum": lambda path: path.write_bytes(
        flip(path.read_bytes(), path.stat().st_size - 6)
    ),
    "no gzip": lambda path: path.write_bytes(b"hello" * 1000),
    "no tar": lambda path: path.write_bytes(gzip.compress(b"hello" * 1000)),
    "an empty tar": lambda path: path.write_bytes(gzip.compress(bytes(10240))),
    "bytes after the gzip": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "bytes after the tar": lambda path: append_to_stream(path, b"more"),
    "no manifest": lambda path: rewrite(path, lambda parts: parts[:-1]),
    "manifest not last": lambda path: rewrite(path, lambda parts: [parts[-1], *parts[:-1]]),
    "no database": lambda path: rewrite(path, lambda parts: parts[1:]),
    "file missing": lambda path: rewrite(path, lambda parts: [*parts[:5], *parts[6:]]),
    "file twice": lambda path: rewrite(path, lambda parts: [*parts[:5], parts[5], *parts[5:]]),
    "other content": with_other_content,
    "foreign file": with_more(regular("files/foreign")),
    "foreign top-level file": with_more(regular("keys.json")),
    "second database": with_more(regular("database.dump")),
    "absolute path": with_more(regular("/tmp/evil")),
    "path upwards": with_more(regular("files/../../evil")),
    "path with a dot": with_more(regular("files/./evil")),
    "path with nothing between": with_more(regular("files//evil")),
    "file below a file": with_more(regular("files/a"), regular("files/a/b")),
    "symbolic link": with_more(link("files/link", tarfile.SYMTYPE)),
    "hard link": with_more(link("files/link", tarfile.LNKTYPE)),
    "folder": with_more(link("files/folder", tarfile.DIRTYPE)),
    "device": with_more(link("files/null", tarfile.CHRTYPE)),
    "broken database": with_a_broken_database,
    "manifest that is no JSON": with_manifest_text(b"{"),
    "manifest that is a list": with_manifest_text(b"[]"),
    "manifest of brackets": with_manifest_text(b"[" * 100_000),
    "manifest of format 0": with_manifest(lambda said: said.update(format=0)),
    "manifest of no engine": with_manifest(lambda said: said.update(engine="oracle")),
    "manifest without rows": with_manifest(lambda said: said.pop("rows")),
    "manifest with a negative size": with_manifest(lambda said: said["members"][1].update(size=-1)),
    "manifest with a wrong size": with_manifest(lambda said: said["members"][1].update(size=1)),
    "manifest with a wrong hash": with_manifest(lambda said: said["members"][1].update(sha256="0" * 64)),
    "manifest with a name twice": with_manifest(lambda said: said["members"].append(said["members"][1])),
    "manifest with a path upwards": with_manifest(lambda said: said["members"][1].update(name="files/../x")),
    "manifest with more rows": with_manifest(lambda said: said["rows"].update(accounts_member=51)),
    "manifest with another table": with_manifest(lambda said: said["rows"].update(more=0)),
    "manifest with fewer migrations": with_manifest(lambda said: said["migrations"].pop()),
}


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
    def test_is_refused_and_nothing_is_touched(
        self, club: Club, archive: Path, damage: Callable[[Path], Any]
    ) -> None:
        damage(archive)
        change_everything(club)
        before = (hash_file(club.database), club.state())
        with pytest.raises(DamagedArchiveError) as refused:
            verify_archive(archive)
        assert str(refused.value).endswith(".")
        assert "\n" not in str(refused.value)
        with pytest.raises(DamagedArchiveError):
            club.restore(archive)
        assert (hash_file(club.database), club.state()) == before
        assert club.left_over() == []
        assert not (club.folder.parent / "evil").exists()

    def test_is_noticed_wherever_a_bit_flips(self, archive: Path) -> None:
        whole = archive.read_bytes()
        content, harmless = gzip.decompress(whole), 0
        for place in range(10, len(whole) - 16, len(whole) // 40):
            archive.write_bytes(flip(whole, place))
            try:
                verify_archive(archive)
            except DamagedArchiveError:
                continue
            # A repetition may be written in two ways: the same content all the same.
            assert gzip.decompress(archive.read_bytes()) == content
            harmless += 1
        assert harmless < 5


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


def staged_of(club: Club, archive: Path) -> Any:
    return restore.staged_archive(engine=club.engine, archive=archive)


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


class TestEngineOf:
    def test_names_the_command_of_sql_server(self) -> None:
        server = SimpleNamespace(vendor="microsoft", settings_dict={"NAME": "bcc"})
        with pytest.raises(RefusedError, match=r"BACKUP DATABASE \[bcc\].*WITH CHECKSUM, COPY_ONLY"):
            engine_of(cast("Any", server))

    def test_knows_no_other(self) -> None:
        with pytest.raises(RefusedError, match="oracle"):
            engine_of(cast("Any", SimpleNamespace(vendor="oracle", settings_dict={})))
