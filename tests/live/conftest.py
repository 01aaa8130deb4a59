"""The clubs of the tests of live servers, and how these share the machine with the rest.

A file of tests is one worker's (``--dist loadfile``), so that no server is started twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.clubs import PREPARE, Made, on_postgres, on_sqlite
from tests.live.engines import scratch_database
from tests.live.scenarios import Club
from tests.live.server import run_json

HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They come first, being the longest; pytest-randomly has shuffled before this."""
    live = [item for item in items if HERE in item.path.parents]
    items[:] = live + [item for item in items if HERE not in item.path.parents]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """A data folder that no server has seen, for every server to have a copy of, and what is in it."""
    data_dir = tmp_path_factory.mktemp("prepared")
    return data_dir, run_json(PREPARE, data_dir)


@pytest.fixture(scope="session")
def prepared_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Made]]:
    """The same on PostgreSQL: the folder with the keys, and a database to copy."""
    data_dir = tmp_path_factory.mktemp("prepared")
    with scratch_database() as url:
        yield data_dir, url, run_json(PREPARE, data_dir, DATABASE_URL=url)


@pytest.fixture(scope="module", params=[on_sqlite, on_postgres], ids=["sqlite", "postgresql"])
def club(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    with request.param(request, tmp_path_factory.mktemp("club")) as opened:
        yield opened
