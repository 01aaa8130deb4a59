"""How fast somebody may go on: so many at once, and so many a second for long."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """A token bucket. Instants are seconds of any clock that does not go back."""

    per_second: float
    at_once: int
    _left: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._left = float(self.at_once)

    def allows(self, at: float) -> bool:
        """Whether one more is within the pace at ``at``; if so it is counted."""
        if self._at is not None:
            self._left = min(self.at_once, self._left + max(0.0, at - self._at) * self.per_second)
        self._at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def wait(self) -> int:
        """Whole seconds until the next one is within the pace, at least 1."""
        return max(1, math.ceil((1 - self._left) / self.per_second))
