"""``backup``, ``verify_backup`` and ``restore`` as ops run them: processes on a data folder."""

from __future__ import annotations

import shutil
import signal
import stat
from pathlib import Path

import pytest

from bcc.management.archive.verify import verify_archive
from tests.bcc.backups import Club, assert_shows_one_moment, copied, fill, manage, run_python, writing
from tests.live.server import serving
from tests.once import made_once

pytestmark = [pytest.mark.server, pytest.mark.soak]

# ``restore``, and the machine dies after so many moves of the exchange.
KILLED = """
import os, signal, sys
import manage
from bcc.management.archive import restore, swap

real, left = swap.PathSwap._move, {moves}

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

def move(*args):
    global left
    if not left:
        die()
    left -= 1
    real(*args)

swap.PathSwap._move, restore._compare = move, die
sys.argv = ["manage.py", "restore", {archive!r}, "--yes"]
manage.main()
"""


@pytest.fixture(scope="module")
def original() -> Club:
    return Club(made_once("club", fill))


@pytest.fixture
def club(original: Club, tmp_path: Path) -> Club:
    return copied(original, tmp_path / "club")


def only_archive(club: Club) -> Path:
    (archive,) = (club.folder / "backups").iterdir()
    return archive


class TestCommands:
    def test_bring_a_club_to_another_machine(self, club: Club, tmp_path: Path) -> None:
        done = manage(club.folder, "backup", "--keep", "3")
        assert done.returncode == 0, done.stderr
        archive = only_archive(club)
        assert str(archive) in done.stdout.splitlines()[-1]
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600

        done = manage(club.folder, "verify_backup", str(archive))
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "The archive is whole.")

        other = Club(tmp_path / "other")
        done = manage(other.folder, "restore", str(archive), "--yes")
        assert done.returncode == 0, done.stderr
        assert "equal counts and hashes" in done.stdout
        assert "migrate" not in done.stdout
        assert other.state() == club.state()
        assert other.left_over() == []

    def test_show_one_moment_while_another_process_writes(self, club: Club, tmp_path: Path) -> None:
        with writing(club.folder):
            done = manage(club.folder, "backup")
            assert done.returncode == 0, done.stderr
            refused = manage(club.folder, "restore", str(only_archive(club)), "--yes")
        assert refused.returncode == 1
        assert "stop the server" in refused.stderr
        archive = only_archive(club)
        pairs = assert_shows_one_moment(verify_archive(archive))
        assert pairs < club.execute("SELECT count(*) FROM probe_left")[0][0]
        # The writer was killed: what it left in the log of the database does not keep anyone from it.
        done = manage(club.folder, "restore", str(archive), "--yes")
        assert done.returncode == 0, done.stderr
        assert club.execute("SELECT count(*) FROM probe_left") == [(pairs,)]

    def test_restore_refuses_while_the_server_runs(self, club: Club) -> None:
        with serving(club.folder):
            assert manage(club.folder, "backup").returncode == 0
            done = manage(club.folder, "restore", str(only_archive(club)), "--yes")
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: The database is in use: stop the server")

    @pytest.mark.parametrize(
        ("moves", "kept"),
        [
            (0, []),
            (2, ["bcc.sqlite3"]),
            (4, ["bcc.sqlite3", "files"]),
        ],
    )
    def test_restore_that_is_killed_loses_nothing(self, club: Club, moves: int, kept: list[str]) -> None:
        manage(club.folder, "backup")
        archive = only_archive(club)
        club.execute("UPDATE accounts_member SET first_name = 'Changed'")
        before = club.state()
        assert (
            run_python(club, KILLED.format(moves=moves, archive=str(archive))).returncode == -signal.SIGKILL
        )
        old = sorted(club.folder.glob(".bcc-restore-*/old/*"), key=lambda path: path.name)
        assert [path.name for path in old] == kept
        if kept:
            refused = manage(club.folder, "restore", str(archive), "--yes")
            assert refused.returncode == 1
            assert all(str(path.parent) in refused.stderr for path in old)
        for path in old:  # as the sentence says
            place = club.folder / path.name
            if place.exists():
                shutil.rmtree(place) if place.is_dir() else place.unlink()
            path.rename(place)
        assert club.state() == before
        done = manage(club.folder, "restore", str(archive), "--yes")
        assert done.returncode == 0, done.stderr
        assert club.left_over() == []

    @pytest.mark.parametrize("answer", ["", "no\n", "yes\n"])
    def test_restore_asks_and_changes_nothing_without_the_word(self, club: Club, answer: str) -> None:
        manage(club.folder, "backup")
        club.execute("UPDATE accounts_member SET first_name = 'Changed'")
        before = club.state()
        done = manage(club.folder, "restore", str(only_archive(club)), says=answer)
        assert (done.returncode, done.stderr) == (1, "CommandError: Nothing was changed.\n")
        assert club.state() == before
        assert club.left_over() == []

    def test_restore_says_that_an_older_archive_wants_migrating(self, club: Club) -> None:
        club.execute("DELETE FROM django_migrations WHERE app = 'metrics'")
        manage(club.folder, "backup")
        done = manage(club.folder, "restore", str(only_archive(club)), says="restore\n")
        assert done.returncode == 0, done.stderr
        assert "run `migrate`" in done.stdout

    def test_say_in_one_sentence_what_is_wrong(self, club: Club, tmp_path: Path) -> None:
        damaged = tmp_path / "damaged.tar.gz"
        damaged.write_bytes(b"no archive")
        for command in (["verify_backup", str(damaged)], ["restore", str(damaged), "--yes"]):
            done = manage(club.folder, *command)
            assert done.returncode == 1
            assert done.stderr.startswith("CommandError: The archive is cut short or damaged")
            assert done.stderr.count("\n") == 1
        done = manage(club.folder, "verify_backup", str(tmp_path / "nowhere"))
        assert done.stderr == f"CommandError: No such file or directory: {tmp_path / 'nowhere'}.\n"

    def test_backup_says_that_the_keys_are_not_in_it(self, club: Club) -> None:
        assert "keys are NOT in it" in " ".join(manage(club.folder, "backup", "--help").stdout.split())

    def test_backup_keeps_at_least_one(self, club: Club) -> None:
        done = manage(club.folder, "backup", "--keep", "0")
        assert done.returncode == 2
        assert "Keep one or more" in done.stderr
