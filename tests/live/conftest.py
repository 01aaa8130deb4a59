"""How the tests of live servers share the machine with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# They wait more than they work: two workers have them all, and the others go on with the rest.
FIRST = frozenset({"test_concurrency", "test_crash", "test_starting"})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They come first, being the longest, and those of a module stay with one worker and its servers."""
    live = [item for item in items if HERE in item.path.parents]
    for item in live:
        item.add_marker(pytest.mark.xdist_group("live" if item.path.stem in FIRST else "more live"))
    items[:] = live + [item for item in items if HERE not in item.path.parents]
