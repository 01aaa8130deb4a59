"""Who did it: the name that every event and audit row carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["member", "staff", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A member, a member of staff, or a part of the system, by the name shown in histories."""

    kind: ActorKind
    name: str
    user_id: int | None = None
    member_id: int | None = None

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    @property
    def is_system(self) -> bool:
        return self.kind == "system"


SCHEDULER = Actor("system", "scheduler")
BOOKING = Actor("system", "booking")
STANDING = Actor("system", "standing")
COMMAND = Actor("system", "command")
DEMO = Actor("staff", "demo loader")
