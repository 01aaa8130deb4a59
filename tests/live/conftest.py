"""How the tests of live servers share the machine with the rest.

A file of tests is one worker's (``--dist loadfile``), so that no server is started twice.
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
