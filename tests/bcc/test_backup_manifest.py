"""The pure parts of archives: manifest, names, and which of them are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bcc.health import backup_made_at
from bcc.management.archive.errors import DamagedArchiveError, RefusedError
from bcc.management.archive.manifest import (
    Contents,
    Manifest,
    Member,
    compare_contents,
    compare_members,
    is_safe_name,
    parse_manifest,
    refuse_newer,
)
from bcc.management.archive.naming import archive_name, outdated, target_of

MADE_AT = datetime(2026, 6, 1, 4, 30, 5, tzinfo=UTC)
MEMBERS = {"database.sqlite3": Member(4096, "a" * 64), "files/ñ/\udcff.bin": Member(0, "b" * 64)}
CONTENTS = Contents("sqlite", "3.40.1", frozenset({("accounts", "0001_initial")}), {"accounts_user": 3})
MANIFEST = Manifest(MADE_AT, "0.1.0", CONTENTS, MEMBERS)


class TestManifest:
    def test_is_read_as_it_was_written(self) -> None:
        assert parse_manifest(MANIFEST.to_json().encode()) == MANIFEST

    def test_says_the_time_in_utc(self) -> None:
        there = Manifest(MADE_AT.astimezone(timezone(timedelta(hours=8))), "0.1.0", CONTENTS, MEMBERS)
        assert '"made_at": "2026-06-01T04:30:05Z"' in there.to_json()


class TestIsSafeName:
    @pytest.mark.parametrize("name", ["database.sqlite3", "database.dump", "files/a", "files/a/b c/ñ.pdf"])
    def test_knows_what_belongs_in(self, name: str) -> None:
        assert is_safe_name(name)

    @pytest.mark.parametrize(
        "name",
        [
            *("", "files", "files/", "/files/a", "files//a", "files/a/", "files/./a", "files/../a"),
            *("../files/a", "a", "database.sqlite3/a", "keys.json", "files/a\\b", "files/a\0b", None, 3),
        ],
    )
    def test_refuses_the_rest(self, name: object) -> None:
        assert not is_safe_name(name)


class TestCompare:
    def test_passes_what_is_equal(self) -> None:
        compare_members(MANIFEST, dict(MEMBERS))
        compare_contents(MANIFEST, CONTENTS)

    def test_does_not_mind_another_version_of_the_engine(self) -> None:
        newer = Contents("sqlite", "3.99", CONTENTS.migrations, CONTENTS.rows)
        compare_contents(MANIFEST, newer)

    @pytest.mark.parametrize("rows", [{}, {"accounts_user": 2}, {"accounts_user": 3, "more": 0}])
    def test_names_the_table_that_differs(self, rows: dict[str, int]) -> None:
        with pytest.raises(DamagedArchiveError, match="and the manifest says"):
            compare_contents(MANIFEST, Contents("sqlite", "3.40.1", CONTENTS.migrations, rows))


class TestRefuseNewer:
    def test_passes_older_and_equal_ones(self) -> None:
        refuse_newer([("a", "1")], [("a", "1"), ("a", "2")])

    def test_names_what_is_not_known(self) -> None:
        with pytest.raises(RefusedError, match=r"1 of its migrations \(a\.2\)"):
            refuse_newer([("a", "1"), ("a", "2")], [("a", "1")])


class TestNames:
    def test_are_read_as_they_are_written(self) -> None:
        assert archive_name(MADE_AT) == "bcc-20260601T043005Z.tar.gz"
        assert backup_made_at(archive_name(MADE_AT)) == MADE_AT

    @pytest.mark.parametrize(
        "name", ["", "bcc-2026061T043005Z.tar.gz", "bcc-20260601T043005Z.tar", "x-20260601T043005Z.tar.gz"]
    )
    def test_of_others_are_none(self, name: str) -> None:
        assert backup_made_at(name) is None

    def test_take_a_folder_where_there_is_none_yet(self, tmp_path: Path) -> None:
        assert target_of(tmp_path, MADE_AT) == tmp_path / archive_name(MADE_AT)
        assert target_of(tmp_path / "new", MADE_AT) == tmp_path / "new" / archive_name(MADE_AT)
        assert target_of(tmp_path / "new.tar.gz", MADE_AT) == tmp_path / "new.tar.gz"

    @pytest.mark.parametrize(("keep", "gone"), [(1, 2), (2, 1), (3, 0), (9, 0)])
    def test_beyond_the_newest_are_outdated(self, keep: int, gone: int) -> None:
        ours = [archive_name(MADE_AT + timedelta(days=day)) for day in range(3)]
        assert outdated([*reversed(ours), "notes.txt"], keep) == ours[:gone]
