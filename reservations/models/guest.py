from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from bcc.core.models import PublicModel


class Guest(PublicModel):
    """Somebody a member brings or sponsors. The host answers for them."""

    class GuestClass(models.TextChoices):
        ACCOMPANIED = "accompanied", _("accompanied")
        SPONSORED = "sponsored", _("sponsored")

    host = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="guests", verbose_name=_("host"))
    name = models.CharField(_("name"), max_length=120)
    guest_class = models.CharField(
        _("class"), max_length=16, choices=GuestClass, default=GuestClass.ACCOMPANIED
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    letter_of_introduction = models.CharField(_("letter of introduction"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="reservations_guest_forward",
            ),
        )
        indexes = (models.Index(fields=("host", "id"), name="reservations_guest_list"),)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValidationError(
                {"valid_until": _("It must not be before the start. Correct one of the two.")}
            )
