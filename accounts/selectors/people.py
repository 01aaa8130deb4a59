"""Who somebody is, by what they type, and who lives in a household."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db.models import Q

from accounts.models import Member, User
from accounts.policies.identifiers import Identifier, parse_identifier
from accounts.policies.identity import Identity

__all__ = [
    "NOBODY",
    "find_user",
    "find_user_or_nobody",
    "household_seen_by",
    "member_of",
    "parsed_identifier",
]


def parsed_identifier(text: str) -> Identifier:
    """``text`` read with the club's own telephone region."""
    return parse_identifier(text, settings.CLUB_PHONE_REGION)


# The account that stands in for whoever does not exist: closed, nameless, never signed in. No member
# number and no name of staff can be it, since neither holds a tilde.
NOBODY: Final = "~nobody"


def find_user(text: str) -> User | None:
    """The user whom ``text`` names, in one query: by user name or member number, e-mail or mobile.

    Where the digits of one member's number are another's mobile, the number wins.
    """
    return find_user_or_nobody(text)[0]


def find_user_or_nobody(text: str) -> tuple[User | None, User | None]:
    """Whom ``text`` names, and the stand-in, in the same one query for everybody.

    The stand-in is None until a service has made it.
    """
    meant = parsed_identifier(text)
    wanted = Q(username__in=(*meant.usernames, NOBODY))
    if meant.email:
        wanted |= Q(email=meant.email)
    if meant.mobile:
        wanted |= Q(mobile=meant.mobile)
    # At most two user names, one address and one number can match, and the stand-in.
    found = list(User.objects.filter(wanted)[:5])
    names = {user.username: user for user in found}
    nobody = names.pop(NOBODY, None)
    for username in meant.usernames:
        if username in names:
            return names[username], nobody
    # Compared again here, because `=` follows the collation of the database.
    for user in names.values():
        if (meant.email and user.email == meant.email) or (meant.mobile and str(user.mobile) == meant.mobile):
            return user, nobody
    return None, nobody


def member_of(identity: Identity) -> Member | None:
    """The member with membership and category, in one query; None for staff who are no member."""
    if identity.member_id is None:
        return None
    return Member.objects.select_related("membership__category").filter(pk=identity.member_id).first()


def household_seen_by(member: Member) -> list[Member]:
    """Principal and spouse see everyone of the membership, principal first; a dependent themselves."""
    if not member.sees_household:
        return [member]
    order = {"principal": 0, "spouse": 1, "dependent": 2}
    people = Member.objects.with_household().of_household(member.membership_id)
    return sorted(
        people, key=lambda one: (order[one.relation], one.birth_date is None, one.birth_date, one.pk)
    )
