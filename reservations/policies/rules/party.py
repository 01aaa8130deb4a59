"""Who comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.utils.translation import gettext as _

from bcc.core.errors import RuleFailure
from reservations.policies.ask import Ask


class PartyRule:
    code: ClassVar[str] = "party_size"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.party < ask.terms.party_min:
            yield RuleFailure(
                self.code,
                _("The party must be at least %(limit)d. Add people.") % {"limit": ask.terms.party_min},
                limit=ask.terms.party_min,
                current=ask.party,
            )
        elif ask.party > ask.terms.party_max:
            yield RuleFailure(
                self.code,
                _("The party may be at most %(limit)d. Choose a smaller one.")
                % {"limit": ask.terms.party_max},
                limit=ask.terms.party_max,
                current=ask.party,
            )


class GuestLimitRule:
    code: ClassVar[str] = "too_many_guests"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        limit = ask.terms.guests_max
        if limit is not None and ask.guest_count > limit:
            yield RuleFailure(
                self.code,
                _("At most %(limit)d guests may come along. Bring fewer.") % {"limit": limit},
                limit=limit,
                current=ask.guest_count,
            )


class GuestNamesRule:
    """Asked of a named party only: availability and an open quote do not know the names yet."""

    code: ClassVar[str] = "guest_names_required"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.terms.guest_names_required and ask.names_given and ask.unnamed:
            yield RuleFailure(
                self.code,
                _("Every guest must be named. Name the remaining %(count)d.") % {"count": ask.unnamed},
                limit=0,
                current=ask.unnamed,
            )


class GuestRule:
    """A guest's own limits: the dates they are good for, and how often the same one may come."""

    code: ClassVar[str] = "same_guest_limit"
    validity_code: ClassVar[str] = "guest_not_valid"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        limit = ask.terms.same_guest_limit
        for guest in ask.guests:
            if limit is not None and guest.visits >= limit:
                yield RuleFailure(
                    self.code,
                    _("%(name)s may come %(limit)d times in %(days)d days. Bring somebody else.")
                    % {"name": guest.name, "limit": limit, "days": ask.terms.same_guest_days},
                    limit=limit,
                    current=guest.visits,
                )
            if (guest.valid_from is not None and ask.starts_on < guest.valid_from) or (
                guest.valid_until is not None and ask.starts_on > guest.valid_until
            ):
                yield RuleFailure(
                    self.validity_code,
                    _("%(name)s is not registered for this day. Change the guest's dates.")
                    % {"name": guest.name},
                )
