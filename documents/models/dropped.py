"""What was seen in the drop folder, from one look to the next."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DroppedFile(models.Model):
    """One name in the drop folder. It is taken when size and time are the same at two looks.

    ``lease_until``: who takes it has it until then, so that two schedulers do not both.
    """

    path = models.CharField(_("path"), max_length=255, unique=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    changed_ns = models.BigIntegerField(_("changed, in ns"))
    seen_at = models.DateTimeField(_("seen at"))
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("file in the drop folder")
        verbose_name_plural = _("files in the drop folder")

    def __str__(self) -> str:
        return self.path
