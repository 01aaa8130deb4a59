"""What was sent by text message, a day: counted against budgets, and paid for."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _


class SmsUse(models.Model):
    """One counter of one day. ``key`` is an HMAC of the number or the client's address; empty for the club.

    ``cost`` is in the club's currency, and kept on the counter of the club only.
    """

    class Scope(models.TextChoices):
        NUMBER = "number", _("one number")
        ADDRESS = "address", _("one address")
        CLUB = "club", _("the club")

    day = models.DateField(_("day"))
    scope = models.CharField(_("counts"), max_length=16, choices=Scope)
    key = models.CharField(max_length=64, blank=True, editable=False)
    used = models.PositiveIntegerField(_("messages"), default=0)
    parts = models.PositiveIntegerField(_("parts"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=2, default=Decimal(0))

    class Meta:
        verbose_name = _("text messages of a day")
        verbose_name_plural = _("text messages by day")
        constraints = (models.UniqueConstraint(fields=("day", "scope", "key"), name="accounts_sms_use_once"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.get_scope_display()}"
