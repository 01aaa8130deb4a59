"""``kill -9`` of the worker at random points of a batch: all ends as it should, once, nothing left over.

``FINANCE_KILLS`` and ``FINANCE_ITEMS`` ask for other numbers.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.server import ROOT, environment, migrated, run_json

pytestmark = [pytest.mark.server]

SEED = 20261001
TERMINAL_SECONDS = 120
PREPARE = ("tests/live/prepare_batch.py",)
WORKER = ("tests/live/batch_worker.py",)


@contextmanager
def worker(data_dir: Path, chunk: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does what the scheduler and the workers do with batches, until it is killed."""
    with (data_dir / "worker.log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *WORKER],
            cwd=ROOT,
            env=environment(data_dir, BATCH_CHUNK=str(chunk)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and the children that it has, as the kernel ends a container."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def ask(data_dir: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data_dir / "bcc.sqlite3", timeout=20)) as database:
        found: list[tuple[Any, ...]] = database.execute(sql, values).fetchall()
        return found


def state(data_dir: Path) -> tuple[str, bool]:
    """The batch's state, and whether the members are told."""
    found = ask(data_dir, "SELECT state, told_at IS NOT NULL FROM documents_importbatch")[0]
    return str(found[0]), bool(found[1])


def progress(data_dir: Path) -> int:
    """How much is done in all: grows with every chunk of every step."""
    counted = (
        "SELECT (SELECT COUNT(*) FROM documents_importitem)"
        " + (SELECT COUNT(*) FROM documents_importitem WHERE outcome = 'filed')"
        " + (SELECT COUNT(*) FROM documents_asset)"
        " + (SELECT COUNT(*) FROM accounts_notification)"
        " + (SELECT COUNT(*) FROM documents_batchevent)"
    )
    return int(ask(data_dir, counted)[0][0])


def wait_for_more(data_dir: Path, steps: int, seconds: float) -> None:
    """Until so much more is done, or the time is up, or nothing is left to do."""
    began, until = progress(data_dir), time.monotonic() + seconds
    while time.monotonic() < until and progress(data_dir) < began + steps:
        if state(data_dir) in (("REVIEW", False), ("PUBLISHED", True)):
            return
        time.sleep(0.02)


def wait_until(data_dir: Path, wanted: tuple[str, bool], seconds: float) -> float:
    began = time.monotonic()
    while state(data_dir) != wanted:
        if time.monotonic() > began + seconds:
            raise AssertionError(f"{state(data_dir)} after {seconds} s, not {wanted}")
        time.sleep(0.1)
    return time.monotonic() - began


def kill_on_the_way(
    data_dir: Path, dice: random.Random, *, kills: int, wanted: tuple[str, bool], chunk: int
) -> int:
    """Kill and start anew until it has come there, at most so often; how often it was killed."""
    done = 0
    while done < kills and state(data_dir) != wanted:
        with worker(data_dir, chunk):
            wait_for_more(data_dir, dice.randint(1, 2 * chunk), seconds=60)
            if state(data_dir) == wanted:
                return done
            # Somewhere between what was just written and what comes next.
            time.sleep(dice.uniform(0, 0.1))
        done += 1
    return done


def audit(data_dir: Path, said: dict[str, Any]) -> None:
    """Each item has ended once, counts agree, no file and no message is there twice or for nothing."""
    items = said["items"]
    outcomes = dict(ask(data_dir, "SELECT outcome, COUNT(*) FROM documents_importitem GROUP BY outcome"))
    assert outcomes == said["outcomes"], outcomes
    assert sum(outcomes.values()) == items
    ordinals = ask(data_dir, "SELECT COUNT(DISTINCT ordinal), MAX(ordinal) FROM documents_importitem")
    assert ordinals == [(items, items)]
    filed = said["outcomes"]["filed"]
    documents = (
        "SELECT COUNT(*), COUNT(DISTINCT membership_id), COUNT(DISTINCT asset_id) FROM documents_document "
        "WHERE state = 'published'"
    )
    assert ask(data_dir, documents) == [(filed, filed, filed)]
    assert ask(data_dir, "SELECT COUNT(*) FROM documents_document") == [(filed,)]
    told = (
        "SELECT COUNT(*), COUNT(DISTINCT user_id) FROM accounts_notification "
        "WHERE channel = 'in_app' AND kind = 'statement_published'"
    )
    assert ask(data_dir, told) == [(filed, filed)]
    keys = {row[0] for row in ask(data_dir, "SELECT key FROM documents_asset")}
    used = ask(
        data_dir,
        "SELECT COUNT(*) FROM documents_asset WHERE id NOT IN (SELECT asset_id FROM documents_document) "
        "AND id NOT IN (SELECT asset_id FROM documents_batchfile)",
    )
    assert used == [(0,)], "an asset that nothing names"
    root = data_dir / "files"
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert keys <= there
    # What a kill broke off in the middle of writing has no name of a file yet, and is swept after some hours.
    left = [name for name in sorted(there - keys) if not Path(name).name.startswith(".part-")]
    assert left == []


def run(data_dir: Path, *, items: int, kills: int, chunk: int) -> dict[str, Any]:
    said: dict[str, Any] = run_json([*PREPARE, str(items)], migrated(data_dir))
    dice = random.Random(SEED)
    review, published = ("REVIEW", False), ("PUBLISHED", True)
    before = kill_on_the_way(data_dir, dice, kills=kills // 2, wanted=review, chunk=chunk)
    with worker(data_dir, chunk):
        wait_until(data_dir, review, TERMINAL_SECONDS)
    run_json([*PREPARE, "approve"], data_dir)
    after = kill_on_the_way(data_dir, dice, kills=kills - before, wanted=published, chunk=chunk)
    with worker(data_dir, chunk):
        took = wait_until(data_dir, published, TERMINAL_SECONDS)
    said["kills"] = before + after
    print(
        f"{items} items, killed {before} times while read and {after} while published; "
        f"all terminal {took:.1f} s after the last restart"
    )
    audit(data_dir, said)
    return said


class TestKilledWorker:
    @pytest.mark.soak
    def test_ends_a_small_batch_as_if_it_had_never_died(self, tmp_path: Path) -> None:
        assert run(tmp_path, items=24, kills=4, chunk=3)["kills"] >= 2

    @pytest.mark.soak
    def test_ends_five_hundred_items_as_if_it_had_never_died(self, tmp_path: Path) -> None:
        kills = int(os.environ.get("FINANCE_KILLS", "20"))
        items = int(os.environ.get("FINANCE_ITEMS", "500"))
        assert run(tmp_path, items=items, kills=kills, chunk=max(3, items // 50))["kills"] == kills
