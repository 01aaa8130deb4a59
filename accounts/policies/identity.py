"""Who makes a request: what a verified token stands for, without a row behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bcc.core.actors import Actor


@dataclass(frozen=True, slots=True)
class Identity:
    """``request.user`` of the API and of the sockets. Staff who are no member have no ``member_id``.

    It is as true as the verified token: at most 60 seconds old, and dropped when anybody's sessions
    end. ``permissions`` holds "app.codename" of staff; a member has none.
    """

    user_id: int
    public_id: UUID
    username: str
    display_name: str
    is_staff: bool
    is_active: bool
    session_id: UUID
    member_id: int | None = None
    member_public_id: UUID | None = None
    membership_id: int | None = None
    permissions: frozenset[str] = frozenset()

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    @property
    def pk(self) -> int:
        """The user's key, under the name that frameworks ask for."""
        return self.user_id

    @property
    def actor(self) -> Actor:
        """The name that events and audit rows carry; a member of staff acts as staff."""
        return Actor(
            "staff" if self.is_staff else "member",
            self.display_name or self.username,
            self.user_id,
            self.member_id,
        )

    def has_perm(self, permission: str) -> bool:
        """Whether staff hold ``permission`` ("app.codename")."""
        return self.is_active and permission in self.permissions

    def has_perms(self, permissions: tuple[str, ...] | list[str]) -> bool:
        return all(self.has_perm(one) for one in permissions)

    def __str__(self) -> str:
        return self.display_name or self.username
