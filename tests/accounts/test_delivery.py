from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from accounts.policies.delivery import MAX_ATTEMPTS, next_try

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


class TestNextTry:
    def test_waits_longer_each_time(self) -> None:
        tries = [next_try(attempts=n, now=NOW, valid_until=LATER) for n in range(1, MAX_ATTEMPTS)]
        assert tries[0] == NOW + timedelta(seconds=15)
        assert all(a is not None and b is not None and b - NOW == 2 * (a - NOW) for a, b in pairwise(tries))

    def test_gives_up_after_the_last_attempt(self) -> None:
        assert next_try(attempts=MAX_ATTEMPTS, now=NOW, valid_until=LATER) is None

    def test_never_plans_to_be_late(self) -> None:
        just = NOW + timedelta(seconds=15)
        assert next_try(attempts=1, now=NOW, valid_until=just) is None
        assert next_try(attempts=1, now=NOW, valid_until=just + timedelta(microseconds=1)) == just
