from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.tsql import Rendering, connected, make_wrapper, render_migrations


@pytest.fixture(scope="package")
def sql_server() -> Iterator[Any]:
    wrapper = make_wrapper()
    with connected(wrapper):
        yield wrapper
    assert wrapper.connection is None


@pytest.fixture(scope="package")
def rendering(sql_server: Any) -> Rendering:
    return render_migrations(sql_server)
