"""What the apps below announce, as activities and as counters for Prometheus.

Their signals come after commit, in the request's thread: nothing here asks the database or waits.
A counter's labels are codes and states; who it was is in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter

from bcc.core import clock
from metrics.models import Activity
from metrics.services.activities import record_activity

RESERVATIONS: Final = Counter(
    "bcc_reservations", "Reservations that came into a state, new ones too.", ["state"]
)
REFUSALS: Final = Counter(
    "bcc_refusals", "Quotes and bookings refused, once for each rule that failed.", ["rule"]
)
SIGN_INS: Final = Counter(
    "bcc_sign_ins", "Sign-ins by outcome: the way in, or the reason why not.", ["outcome"]
)


def note_refusal(
    *, facility: UUID, member_id: int, rules: Sequence[str], starts_at: datetime, at: datetime, **_: Any
) -> None:
    for rule in rules:
        REFUSALS.labels(rule).inc()
    record_activity(
        name=Activity.Name.BOOKING_REFUSED,
        at=at,
        about_on=clock.local_date(starts_at),
        properties={"facility": str(facility), "rules": list(rules)},
        member_id=member_id,
    )


def count_change(*, state: str, **_: Any) -> None:
    RESERVATIONS.labels(state).inc()


def note_sign_in(*, user_id: int, method: str, **_: Any) -> None:
    SIGN_INS.labels(method).inc()
    now = clock.now()
    record_activity(
        name=Activity.Name.SIGN_IN,
        at=now,
        about_on=clock.local_date(now),
        properties={"method": method},
        user_id=user_id,
    )


def note_failed_sign_in(*, reason: str, **_: Any) -> None:
    SIGN_INS.labels(reason).inc()
    now = clock.now()
    record_activity(
        name=Activity.Name.SIGN_IN_FAILED,
        at=now,
        about_on=clock.local_date(now),
        properties={"reason": reason},
    )
