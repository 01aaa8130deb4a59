from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Protocol
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language

from bcc.core.errors import RuleFailure
from reservations.policies.ask import Ask


class Rule(Protocol):
    """Judges one thing. ``code`` is part of the API's contract and never changes."""

    code: ClassVar[str]

    def judge(self, ask: Ask) -> Iterable[RuleFailure]:
        """The failures, none when the rule is met."""
        ...


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """An instant as a member reads it at the club."""
    return _local_text(instant, zone, get_language())


@lru_cache(maxsize=1_024)
def _local_text(instant: datetime, zone: ZoneInfo, language: str | None) -> str:
    """Remembered: a release or a hold is named at every slot that it keeps shut."""
    return date_format(instant.astimezone(zone), "j F Y, H:i")
