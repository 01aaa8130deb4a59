"""What the club has already, read once for a whole file: three queries, whatever its length."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from accounts.models import Member, Membership, MembershipCategory, Relation
from accounts.policies.identifiers import member_number_key, plain
from accounts.policies.issuing import household_number, next_number


@dataclass(slots=True)
class Household:
    membership: Membership
    members: list[Member] = field(default_factory=list)

    @property
    def principal(self) -> Member | None:
        return next((one for one in self.members if one.relation == Relation.PRINCIPAL), None)


class Known:
    """Categories, households and members by every way in which a row may name them."""

    def __init__(self) -> None:
        self.categories: dict[str, MembershipCategory] = {}
        for category in MembershipCategory.objects.order_by("pk"):
            self.categories.setdefault(category.name.casefold(), category)
            self.categories[category.code.casefold()] = category
        self.households: dict[str, Household] = {}
        self.members: dict[str, Member] = {}
        self.addresses: dict[str, int] = {}
        by_id: dict[int, Household] = {}
        for membership in Membership.objects.select_related("category").order_by("pk"):
            household = Household(membership)
            by_id[membership.pk] = self.households[membership.account_no.casefold()] = household
        for member in Member.objects.select_related("user").order_by("pk"):
            by_id[member.membership_id].members.append(member)
            member.membership = by_id[member.membership_id].membership
            self._note(member)
        self._last = max((self._digits(key) for key in self.members), default=0)

    def household(self, account_no: str) -> Household | None:
        return self.households.get(plain(account_no).casefold())

    def category(self, text: str) -> MembershipCategory | None:
        return self.categories.get(text.casefold())

    def namesake(self, household: Household, first_name: str, last_name: str) -> Member | None:
        """The person of a household by name: who a row without a member number means, if there is one."""
        wanted = f"{first_name} {last_name}".casefold()
        return next((one for one in household.members if one.full_name.casefold() == wanted), None)

    def add(self, member: Member) -> None:
        """Keep in mind a member made since."""
        account = member.membership.account_no.casefold()
        self.households.setdefault(account, Household(member.membership)).members.append(member)
        self._note(member)

    def new_number(self, household: Household, relation: str) -> str | None:
        """A number by the club's pattern: the next free one, or the principal's with a letter. None if a
        household has used its letters up or has no principal yet."""
        if relation != Relation.PRINCIPAL:
            principal = household.principal
            if principal is None:
                return None
            taken = frozenset(self.members)
            return household_number(principal.member_no, suffixes=settings.CLUB_MEMBER_SUFFIXES, taken=taken)
        number = next_number(
            prefix=settings.CLUB_MEMBER_PREFIX, width=settings.CLUB_MEMBER_WIDTH, taken=self._last
        )
        self._last += 1
        return number

    def _note(self, member: Member) -> None:
        self.members[member.member_no_key] = member
        if member.user is not None:
            for address in (member.user.email, str(member.user.mobile)):
                if address:
                    self.addresses[address] = member.pk
        if hasattr(self, "_last"):
            self._last = max(self._last, self._digits(member.member_no_key))

    @staticmethod
    def _digits(key: str) -> int:
        """The number in a key of the club's own pattern; 0 for any other."""
        prefix = member_number_key(settings.CLUB_MEMBER_PREFIX)
        digits = key.removeprefix(prefix)
        return int(digits) if key.startswith(prefix) and digits.isdecimal() and len(digits) < 12 else 0
