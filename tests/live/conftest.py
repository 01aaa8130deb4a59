"""How the tests of live servers share the machine with the rest.

Each of their modules belongs to one of two groups (``xdist_group``), and so to one of two workers, which
keep its servers: they wait more than they work, and the other workers go on with the rest.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They come first, being the longest; pytest-randomly has shuffled before this."""
    live = [item for item in items if HERE in item.path.parents]
    items[:] = live + [item for item in items if HERE not in item.path.parents]
