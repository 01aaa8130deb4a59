"""Folders of killed processes are removed, those at work are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from documents.isolation import folders
from documents.isolation.folders import WorkFolder, sweep_folders
from tests.bcc.conftest import ROOT

MAKES_ONE = """
from documents.isolation.folders import WorkFolder
folder = WorkFolder()
open(folder.name + "/statement.pdf", "w").write("private")
print(folder.name, flush=True)
input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "NEW_SECONDS", -1.0)
    return tmp_path


def test_one_at_work_stays_and_is_removed_at_its_end(place: Path) -> None:
    with WorkFolder() as name:
        assert Path(name).parent == place
        assert Path(name).stat().st_mode & 0o777 == 0o700
        assert sweep_folders() == 0
        assert Path(name).is_dir()
    assert not list(place.iterdir())


def test_one_of_a_killed_process_goes(place: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES_ONE],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        assert sweep_folders() == 0
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert (left / "statement.pdf").exists()
    assert sweep_folders() == 1
    assert not left.exists()


def test_a_new_one_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "NEW_SECONDS", 60.0)
    left = place / f"{folders.PREFIX}x"
    left.mkdir()
    assert sweep_folders() == 0
    old = time.time() - 120
    os.utime(left, (old, old))
    assert sweep_folders() == 1


def test_nothing_else_is_touched(place: Path) -> None:
    (place / "other").mkdir()
    (place / f"{folders.PREFIX}file").write_text("no folder")
    assert sweep_folders() == 0
    assert len(list(place.iterdir())) == 2
