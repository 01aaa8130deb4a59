"""A small club of its own for the tests of archives: a database file, stored files, and what they hold."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bcc.management.archive.backup import make_backup
from bcc.management.archive.container import hash_file
from bcc.management.archive.manifest import Manifest, Member
from bcc.management.archive.restore import put_in_place, staged_archive
from bcc.management.archive.sqlite import SqliteEngine
from tests.bcc.conftest import ROOT
from tests.live.server import environment, migrated, run_script

MADE_AT = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
FILES = 300
Parts = list[tuple[tarfile.TarInfo, bytes]]


def fill(folder: Path, **env: str) -> None:
    """A few hundred rows and files, by a process of its own."""
    if not env:
        migrated(folder)
    run_script(["tests/live/prepare.py"], folder, **env)
    for number in range(FILES):
        path = folder / "files" / f"{number % 16:02x}" / f"picture {number} ñ.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number % 251]) * (number * 7))


@dataclass(frozen=True, slots=True)
class Club:
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "bcc.sqlite3"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def engine(self) -> SqliteEngine:
        return SqliteEngine(cast("Any", SimpleNamespace(settings_dict={"NAME": str(self.database)})))

    def back_up(
        self, wanted: Path | None = None, *, keep: int | None = None, now: datetime = MADE_AT
    ) -> Path:
        to = wanted or self.folder / "backups"
        return make_backup(engine=self.engine, wanted=to, keep=keep, now=now, say=print).path

    def restore(self, archive: Path) -> None:
        with staged_archive(engine=self.engine, archive=archive) as staged:
            put_in_place(engine=self.engine, staged=staged, say=print)

    def execute(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as database:
            return database.execute(statement).fetchall()

    def hashes(self) -> dict[str, Member]:
        """Every stored file by its name."""
        paths = (path for path in self.files.rglob("*") if path.is_file())
        return {str(path.relative_to(self.files)): hash_file(path) for path in paths}

    def state(self) -> tuple[list[str], dict[str, Member]]:
        """All rows, as SQL, and all files: equal states are equal clubs."""
        with closing(sqlite3.connect(self.database)) as database:
            return list(database.iterdump()), self.hashes()

    def left_over(self) -> list[str]:
        """What neither belongs to a club at rest nor is an archive."""
        usual = {"bcc.sqlite3", "files", "keys.json", "backups"}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in usual)


def copied(club: Club, folder: Path) -> Club:
    shutil.copytree(club.folder, folder, dirs_exist_ok=True)
    return Club(folder)


def rewrite(archive: Path, change: Callable[[Parts], Parts]) -> None:
    """Write ``archive`` anew with other members; the manifest stays as it was."""
    with tarfile.open(archive) as tar:
        parts = [(info, cast("Any", tar.extractfile(info)).read()) for info in tar]
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for info, content in change(parts):
            if info.isreg():
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def rewrite_manifest(archive: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Let ``change`` have the manifest as it is in the file."""

    def changed(parts: Parts) -> Parts:
        info, content = parts[-1]
        said = json.loads(content)
        change(said)
        return [*parts[:-1], (info, json.dumps(said).encode())]

    rewrite(archive, changed)


def append_to_stream(archive: Path, more: bytes) -> None:
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()) + more))


def manage(folder: Path, *arguments: str, says: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` as ops run it, with ``says`` on its standard input."""
    return _run(folder, "manage.py", *arguments, says=says, **env)


def run_python(club: Club, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A script that spoils a command of ``manage.py`` before it runs it."""
    return _run(club.folder, "-c", script, **env)


def _run(folder: Path, *arguments: str, says: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(folder, **env),
        input=says,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def writing(folder: Path, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A process that writes pairs of rows and files until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "tests/live/write_on.py"],
        cwd=ROOT,
        env=environment(folder, **env),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield process
            assert process.poll() is None
        finally:
            process.kill()


def assert_shows_one_moment(manifest: Manifest) -> int:
    """Both tables hold the same numbers, and every number has its file; how many they are."""
    pairs = manifest.contents.rows["probe_left"]
    assert pairs == manifest.contents.rows["probe_right"]
    assert {f"files/probe/{number}.bin" for number in range(1, pairs + 1)} <= manifest.members.keys()
    return pairs
