"""The demo club's households, members and staff, by the service that writes real ones."""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import Member, MembershipCategory, Relation, User
from accounts.services.household import register_member, register_membership


def load_members(club: dict[str, Any], *, encoded: str, now: datetime) -> list[Member]:
    """Make the categories, the households and their members; ``encoded`` is everybody's password."""
    categories = [MembershipCategory.objects.create(**one) for one in club["categories"]]
    plan = club["households"]
    chance = random.Random(1905)  # noqa: S311 - the same demo club every time
    members: list[Member] = []
    for number in range(1, plan["count"] + 1):
        membership = register_membership(
            account_no=f"D-{number:04d}",
            category=categories[number % len(categories)],
            standing=_standing(number, plan),
        )
        for place, relation in enumerate(_relations(number, plan)):
            grown = relation != Relation.DEPENDENT
            born = chance.randrange(1950, 1995) if grown else chance.randrange(2003, 2016)
            members.append(
                register_member(
                    membership=membership,
                    member_no=f"DM-{number:04d}-{place}",
                    first_name="Demo",
                    last_name=f"Member {number:03d}-{place}",
                    now=now,
                    relation=relation,
                    birth_date=date(born, chance.randint(1, 12), chance.randint(1, 28)),
                    can_view_statements=grown,
                    email=f"member-{number:04d}-{place}@example.com",
                    encoded_password=encoded,
                )
            )
    return members


def load_staff(club: dict[str, Any], *, encoded: str) -> list[User]:
    """One member of staff in each group, and one who may do everything."""
    staff: list[User] = []
    for group in club["staff"]:
        name = group.lower().replace(" ", "-")
        user = User.objects.create(
            username=name,
            display_name=f"Demo {group}",
            email=f"{name}@example.com",
            is_staff=True,
            password=encoded,
        )
        user.groups.add(Group.objects.get(name=group))
        staff.append(user)
    staff.append(
        User.objects.create(
            username="admin", display_name="Demo Admin", is_staff=True, is_superuser=True, password=encoded
        )
    )
    return staff


def _standing(number: int, plan: dict[str, int]) -> str:
    """The last households are suspended, the ones before them delinquent."""
    from_the_end = plan["count"] - number
    if from_the_end < plan["suspended"]:
        return "suspended"
    return "delinquent" if from_the_end < plan["suspended"] + plan["delinquent"] else "good"


def _relations(number: int, plan: dict[str, int]) -> list[Relation]:
    people = [Relation.PRINCIPAL]
    people += [Relation.SPOUSE] if number <= plan["with_spouse"] else []
    people += [Relation.DEPENDENT] if number <= plan["with_dependent"] else []
    people += [Relation.DEPENDENT] if number <= plan["with_second_dependent"] else []
    return people
