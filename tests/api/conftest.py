"""The world of ``tests.api.world``. It takes a while to make, so tests ask many questions of one."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine

from tests.api.world import World, build_world


@pytest.fixture
def world(db: None, travel: time_machine.Traveller, now: datetime) -> World:
    return build_world(now)
