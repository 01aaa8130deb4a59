"""Bad pictures, each in a child as in the club: refused with a reason, soon, and in little memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.imaging.containers import is_bare
from documents.isolation import Child, ChildFailedError, Refusal
from documents.services.images import LIMITS, WORK
from tests.documents import pictures

SECONDS = 10
# What a bad file may take beyond a child at rest.
MEGABYTES = 200


@pytest.fixture
def child() -> Iterator[Child]:
    with Child(WORK, LIMITS) as started:
        yield started


def ask(child: Child, content: bytes, *, engine: str = "pillow") -> dict[str, Any]:
    source = child.folder / "source"
    source.write_bytes(content)
    answer: dict[str, Any] = child.call(source="source", folder=".", engine=engine)
    return answer


def most_held(child: Child) -> int:
    """The most memory that the child's process had at once, in megabytes."""
    running = child._running
    assert running is not None
    status = (Path("/proc") / str(running.process.pid) / "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


class TestBad:
    @pytest.mark.parametrize("engine", ["pillow", "vips"])
    def test_is_refused_soon_with_a_reason_and_in_little_memory(self, child: Child, engine: str) -> None:
        ask(child, pictures.jpeg(), engine=engine)
        at_rest = most_held(child)
        wrong = []
        for name, (content, codes) in pictures.BAD.items():
            began = time.monotonic()
            with pytest.raises(Refusal) as refused:
                pytest.fail(f"{name} was taken: {ask(child, content(), engine=engine)}")
            if refused.value.code not in codes:
                wrong.append((name, refused.value.code, refused.value.detail))
            assert time.monotonic() - began < SECONDS, name
        assert not wrong
        assert most_held(child) - at_rest < MEGABYTES

    def test_leaves_nothing_that_was_half_made(self, child: Child) -> None:
        with pytest.raises(Refusal):
            ask(child, pictures.BAD["half a JPEG"][0]())
        assert [path.name for path in child.folder.iterdir()] == ["source"]


def judged(child: Child, content: bytes) -> str:
    """How a spoilt picture ended: ``taken``, or why not. Fails for an end that is none."""
    began = time.monotonic()
    try:
        answer = ask(child, content)
    except Refusal as refused:
        return refused.code
    except ChildFailedError as failed:
        if failed.why not in ("memory", "crash"):
            raise
        return failed.why
    finally:
        assert time.monotonic() - began < SECONDS
    for one in answer["variants"]:
        assert is_bare((child.folder / one["file"]).read_bytes(), one["media_type"])
    return "taken"


class TestMutants:
    def test_end_in_a_clean_picture_or_a_reason(self, child: Child) -> None:
        ends = [judged(child, one) for one in pictures.mutants(40, seed=1)]
        assert "broken_image" in ends

    @pytest.mark.soak
    @pytest.mark.parametrize("seed", range(2, 10))
    def test_of_many_kinds_end_so_too(self, child: Child, seed: int) -> None:
        ends = [judged(child, one) for one in pictures.mutants(500, seed=seed)]
        assert {"taken", "broken_image"} <= set(ends)
