"""The same round trip on PostgreSQL, where ``TEST_POSTGRES_URL`` names a server (postgres://…).

Each test has a database of its own, dropped afterwards.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bcc.management.archive import postgres
from bcc.management.archive.errors import ArchiveError
from bcc.management.archive.verify import verify_archive
from tests.bcc.backups import (
    Club,
    assert_shows_one_moment,
    copied,
    fill,
    manage,
    rewrite,
    run_python,
    writing,
)
from tests.live.engines import scratch_database

pytestmark = [pytest.mark.server, pytest.mark.soak]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Club, str]]:
    """A club whose database and folder the tests have copies of."""
    club = Club(tmp_path_factory.mktemp("original"))
    with scratch_database() as url:
        fill(club.folder, DATABASE_URL=url)
        yield club, url


@pytest.fixture
def url(original: tuple[Club, str]) -> Iterator[str]:
    with scratch_database(template=original[1]) as made:
        yield made


@pytest.fixture
def club(original: tuple[Club, str], tmp_path: Path) -> Club:
    return copied(original[0], tmp_path / "club")


def ask(url: str, statement: str) -> list[Any]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        answer = server.execute(statement)
        return answer.fetchall() if answer.description else []


def rows_of(url: str) -> str:
    """Every row of every table, as text."""
    done = subprocess.run(
        ["pg_dump", "--data-only", "--inserts", "--no-owner", f"--dbname={url}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(sorted(line for line in done.stdout.splitlines() if not line.startswith("\\")))


def made(club: Club, url: str) -> Path:
    done = manage(club.folder, "backup", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1].split()[0])


class TestPostgres:
    def test_brings_everything_back_twice(self, club: Club, url: str) -> None:
        before, files = rows_of(url), club.hashes()
        for _round in range(2):
            archive = made(club, url)
            assert len(verify_archive(archive).files) == len(files)
            # What an older archive does not know, and what points at what it does.
            ask(url, "CREATE TABLE newer (id int PRIMARY KEY, type int REFERENCES django_content_type)")
            ask(url, "UPDATE accounts_member SET first_name = 'Changed'")
            (club.files / "00" / "new.bin").write_bytes(b"new")
            done = manage(club.folder, "restore", str(archive), "--yes", DATABASE_URL=url)
            assert done.returncode == 0, done.stderr
            assert "equal counts and hashes" in done.stdout
            assert (rows_of(url), club.hashes()) == (before, files)
            archive.unlink()
        assert manage(club.folder, "migrate", "--check", DATABASE_URL=url).returncode == 0
        assert club.left_over() == []

    def test_shows_one_moment_while_another_process_writes(self, club: Club, url: str) -> None:
        with writing(club.folder, DATABASE_URL=url):
            archive = made(club, url)
            refused = manage(club.folder, "restore", str(archive), "--yes", DATABASE_URL=url)
        assert "stop the server" in refused.stderr
        pairs = assert_shows_one_moment(verify_archive(archive))
        assert ask(url, "SELECT count(*) FROM probe_left")[0][0] > pairs
        # The restore counts the dump itself: it holds what was counted beside it.
        done = manage(club.folder, "restore", str(archive), "--yes", DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        assert ask(url, "SELECT count(*) FROM probe_left") == [(pairs,)]

    def test_puts_the_old_state_back_where_the_files_cannot_be_exchanged(self, club: Club, url: str) -> None:
        archive = made(club, url)
        ask(url, "UPDATE accounts_member SET first_name = 'Changed'")
        before = rows_of(url)
        script = (
            "import manage, sys; from bcc.management.archive import swap\n"
            "def fail(*args): raise OSError(5, 'the disk is gone')\n"
            "swap.PathSwap._move = fail\n"
            f"sys.argv = ['manage.py', 'restore', {str(archive)!r}, '--yes']; manage.main()"
        )
        done = run_python(club, script, DATABASE_URL=url)
        assert done.returncode == 1
        assert "the disk is gone. What was there is in its place." in done.stderr
        assert rows_of(url) == before
        assert ask(url, f"SELECT 1 FROM pg_namespace WHERE nspname = '{postgres.ASIDE}'") == []

    def test_refuses_a_dump_that_pg_restore_cannot_read(self, club: Club, url: str) -> None:
        archive = made(club, url)
        rewrite(archive, lambda parts: [(parts[0][0], b"PGDMP and no more"), *parts[1:]])
        before = rows_of(url)
        done = manage(club.folder, "restore", str(archive), "--yes", DATABASE_URL=url)
        assert done.returncode == 1
        assert rows_of(url) == before

    def test_refuses_an_archive_of_sqlite(self, club: Club, url: str) -> None:
        of_sqlite = str(club.folder / "backups" / "of-sqlite.tar.gz")
        assert manage(club.folder, "migrate", "-v0").returncode == 0
        assert manage(club.folder, "backup", "--to", of_sqlite).returncode == 0
        done = manage(club.folder, "restore", of_sqlite, "--yes", DATABASE_URL=url)
        assert "is of sqlite, and this club's database is postgresql" in done.stderr


class TestToolEnvironment:
    def test_says_what_django_knows(self) -> None:
        config = {
            "NAME": "bcc",
            "USER": "club",
            "PASSWORD": "secret",
            "HOST": "db",
            "PORT": 5433,
            "OPTIONS": {"sslmode": "verify-full", "pool": {"min_size": 1}},
        }
        found = postgres.tool_environment(config)
        wanted = {
            "PGDATABASE": "bcc",
            "PGUSER": "club",
            "PGPASSWORD": "secret",
            "PGHOST": "db",
            "PGPORT": "5433",
            "PGSSLMODE": "verify-full",
        }
        assert {name: found.get(name) for name in wanted} == wanted


class TestRunTool:
    def test_names_what_is_not_installed(self) -> None:
        with pytest.raises(ArchiveError, match="pg_nothing is not installed"):
            postgres.run_tool("pg_nothing", environment={})

    def test_repeats_what_the_tool_said(self) -> None:
        with pytest.raises(postgres.ToolFailedError, match=r"failed: no such thing\."):
            postgres.run_tool("sh", "-c", "echo 'no such thing.' >&2; exit 3", environment=dict(os.environ))
