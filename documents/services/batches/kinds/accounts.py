"""Whose an account number is: every membership under the one spelling of its number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from accounts.models import Membership
from documents.parsers.names import account_key


class Accounts:
    """The memberships as a batch sees them, read once for each step: some thousand short texts."""

    def __init__(self) -> None:
        self._ids: dict[str, list[int]] = defaultdict(list)
        for pk, account_no in Membership.objects.order_by("pk").values_list("pk", "account_no"):
            self._ids[account_key(account_no)].append(pk)

    def __contains__(self, key: str) -> bool:
        return key in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def find(self, text: str) -> int | None:
        """The membership of a number in any spelling; None for no one's, and for that of several."""
        ids = self._ids.get(account_key(text), [])
        return ids[0] if len(ids) == 1 else None

    def is_ambiguous(self, text: str) -> bool:
        """Whether several memberships have this number, but for its spelling."""
        return len(self._ids.get(account_key(text), [])) > 1

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(key for key in self._ids if key)
