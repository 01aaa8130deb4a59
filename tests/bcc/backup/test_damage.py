"""Damaged archives are refused, and nothing is touched."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bcc.management.archive.container import hash_file
from bcc.management.archive.errors import DamagedArchiveError
from bcc.management.archive.verify import verify_archive
from tests.bcc.backup.damage import (
    DAMAGES,
    change_everything,
    flip,
)
from tests.bcc.backups import (
    Club,
)


class TestDamage:
    # Each takes a second: the suite tries some, `make soak` all of them.
    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(damage, id=name, marks=[] if number % 4 == 0 else [pytest.mark.soak])
            for number, (name, damage) in enumerate(DAMAGES.items())
        ],
    )
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

    def test_is_noticed_wherever_bytes_are_turned_over(self, archive: Path) -> None:
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
