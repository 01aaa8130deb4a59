"""The household that Finance bills, and its people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class Standing(models.TextChoices):
    GOOD = "good", _("good")
    DELINQUENT = "delinquent", _("delinquent")
    SUSPENDED = "suspended", _("suspended")


class Relation(models.TextChoices):
    PRINCIPAL = "principal", _("principal")
    SPOUSE = "spouse", _("spouse")
    DEPENDENT = "dependent", _("dependent")


class MembershipCategory(models.Model):
    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=100, help_text=_("Lower stands first in lists.")
    )

    class Meta:
        verbose_name = _("membership category")
        verbose_name_plural = _("membership categories")

    def __str__(self) -> str:
        return self.name


class Membership(PublicModel):
    """A household: the unit of billing, of standing, and of household quotas.

    ``lock_version`` is the portable lock of everything counted per member or household.
    ``standing_changed_at`` is null while the standing is the first; what hangs on a change is found by it.
    """

    account_no = models.CharField(_("account number"), max_length=32, unique=True)
    category = models.ForeignKey(MembershipCategory, on_delete=models.PROTECT, verbose_name=_("category"))
    standing = models.CharField(_("standing"), max_length=16, choices=Standing, default=Standing.GOOD)
    standing_changed_at = models.DateTimeField(
        _("standing changed at"), null=True, blank=True, editable=False
    )
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    lock_version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return self.account_no


def sees_household(relation: str) -> bool:
    """Principal and spouse see the household's reservations; a dependent their own."""
    return relation != Relation.DEPENDENT


class MemberQuerySet(models.QuerySet["Member"]):
    def with_household(self) -> Self:
        return self.select_related("membership__category", "user")

    def of_household(self, membership_id: int) -> Self:
        return self.filter(membership_id=membership_id)


class Member(PublicModel):
    """One person of a membership.

    ``member_no`` is shown as the club writes it; ``member_no_key`` is its one normal spelling
    (upper case, letters and digits only), unique for ever.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="members", verbose_name=_("membership")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="member",
        verbose_name=_("user"),
    )
    member_no = models.CharField(_("member number"), max_length=32, unique=True)
    member_no_key = models.CharField(max_length=32, unique=True, editable=False)
    relation = models.CharField(_("relation"), max_length=16, choices=Relation, default=Relation.PRINCIPAL)
    first_name = models.CharField(_("first name"), max_length=80)
    last_name = models.CharField(_("last name"), max_length=80)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    can_book = models.BooleanField(_("may book"), default=True)
    can_view_statements = models.BooleanField(_("may view statements"), default=False)
    anonymised_at = models.DateTimeField(_("anonymised at"), null=True, blank=True, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = (
            models.UniqueConstraint(
                fields=("membership",),
                condition=Q(relation="principal"),
                name="accounts_member_one_principal",
            ),
        )

    def __str__(self) -> str:
        return f"{self.full_name} ({self.member_no})"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def sees_household(self) -> bool:
        """Principal and spouse see the household's reservations; a dependent their own."""
        return sees_household(self.relation)

    def age_on(self, on: date) -> int | None:
        """Completed years on ``on``; one born on 29 February ages on 1 March of other years."""
        if self.birth_date is None:
            return None
        had_birthday = (on.month, on.day) >= (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - (0 if had_birthday else 1)

    def is_valid_at(self, on: date | datetime) -> bool:
        day = on.date() if isinstance(on, datetime) else on
        return self.membership.valid_to is None or day <= self.membership.valid_to
