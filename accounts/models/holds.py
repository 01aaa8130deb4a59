from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.membership import Member
from bcc.core.models import PublicModel


class PrivilegeHoldQuerySet(models.QuerySet["PrivilegeHold"]):
    def in_force(self, at: datetime, scope: str) -> Self:
        return self.filter(scope=scope, starts_at__lte=at, until__gt=at, lifted_at__isnull=True)


class PrivilegeHold(PublicModel):
    """A member may not use something of the club until an instant."""

    class Source(models.TextChoices):
        DELINQUENCY = "delinquency", _("delinquency")
        STRIKES = "strikes", _("strikes")
        MANUAL = "manual", _("set by staff")

    class Scope(models.TextChoices):
        BOOKING = "booking", _("booking")
        CHAT = "chat", _("chat")

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="holds", verbose_name=_("member")
    )
    source = models.CharField(_("source"), max_length=16, choices=Source)
    scope = models.CharField(_("scope"), max_length=16, choices=Scope)
    reason = models.CharField(_("reason"), max_length=200)
    starts_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    objects = PrivilegeHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("privilege hold")
        verbose_name_plural = _("privilege holds")
        indexes = (models.Index(fields=("member", "scope", "until"), name="accounts_hold_in_force"),)

    def __str__(self) -> str:
        return f"{self.member}: {self.get_scope_display()}"
