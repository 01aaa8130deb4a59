"""To whom staff may write: kinds of audience, each of which an app declares in ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, MembershipCategory, Standing, User
from bcc.core.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Audience:
    """One kind. ``choices`` are (value, label) of each audience of it; none where it is only one.
    ``users`` gives the accounts of a chosen one at an instant."""

    code: str
    label: str | Promise
    choices: Callable[[], list[tuple[str, str]]]
    users: Callable[[str, datetime], QuerySet[User]]


_audiences: Final[dict[str, Audience]] = {}


def register_audience(audience: Audience) -> None:
    _audiences[audience.code] = audience


def all_audiences() -> list[Audience]:
    return list(_audiences.values())


def users_of(code: str, chosen: str, at: datetime) -> QuerySet[User]:
    """The active accounts of an audience, each once. Raises InvalidError for one that there is not."""
    audience = _audiences.get(code)
    if audience is None or not _is_choice(audience, chosen):
        detail = _("There is no such audience. Choose one of the list.")
        raise InvalidError(errors={"audience": [("unknown_audience", detail)]})
    found = audience.users(chosen, at).values("pk")
    return User.objects.filter(pk__in=found, is_active=True)


def label_of(code: str, chosen: str) -> str:
    """How staff know an audience; its code where no app declares it any more."""
    audience = _audiences.get(code)
    if audience is None:
        return code
    names = dict(audience.choices())
    return f"{audience.label}: {names[chosen]}" if chosen in names else str(audience.label)


def _is_choice(audience: Audience, chosen: str) -> bool:
    choices = audience.choices()
    return chosen in dict(choices) if choices else not chosen


def _members(**wanted: str) -> QuerySet[User]:
    return User.objects.filter(pk__in=Member.objects.filter(user__isnull=False, **wanted).values("user_id"))


def register_own_audiences() -> None:
    register_audience(Audience("members", _("All members"), list, lambda _chosen, _at: _members()))
    register_audience(
        Audience(
            "category",
            _("A membership category"),
            lambda: [(one.code, one.name) for one in MembershipCategory.objects.order_by("rank", "pk")],
            lambda chosen, _at: _members(membership__category__code=chosen),
        )
    )
    register_audience(
        Audience(
            "standing",
            _("Households of a standing"),
            lambda: [(value, str(label)) for value, label in Standing.choices],
            lambda chosen, _at: _members(membership__standing=chosen),
        )
    )
    register_audience(
        Audience(
            "group",
            _("A group of staff"),
            lambda: [(str(one.pk), one.name) for one in Group.objects.order_by("name", "pk")],
            lambda chosen, _at: User.objects.filter(is_staff=True, groups__pk=int(chosen)),
        )
    )
