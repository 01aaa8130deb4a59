"""Have somebody look soon who is away and was written to; the sweeper would look within a minute."""

from __future__ import annotations

import time
from typing import Final

from bcc.core.enqueue import Gathered

# One look at a conversation in so many seconds: a lively one is not looked at for each message.
LOOK_EVERY_SECONDS: Final = 5.0
MOST_REMEMBERED: Final = 10_000

_TELLING: Final = Gathered(
    one=("chat.tell_of_one", "conversation"), several=("chat.tell_of_several", "conversations")
)
_looked: dict[int, float] = {}


def nudge_telling(conversation_id: int) -> None:
    """After commit, if nobody in this process has asked for it a moment ago."""
    at = time.monotonic()
    if at - _looked.get(conversation_id, float("-inf")) < LOOK_EVERY_SECONDS:
        return
    if len(_looked) >= MOST_REMEMBERED:
        _looked.clear()
    _looked[conversation_id] = at
    _TELLING.enqueue(str(conversation_id))


def forget_nudges() -> None:
    _looked.clear()
