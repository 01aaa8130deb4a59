"""An empty buffer before and after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metrics.services import activities


@pytest.fixture(autouse=True)
def empty_buffer() -> Iterator[None]:
    activities._buffer.take()
    yield
    activities._buffer.take()
