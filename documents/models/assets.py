"""What lies in storage: bytes under their hash, and nothing of what they mean."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class Asset(PublicModel):
    """One file, kept once however often it came.

    ``key`` is its name in storage, made of the hash alone: nobody's file name leads to a path.
    ``media_type`` is what the bytes are, as they were sniffed, not what the sender called them. The file
    is on the disk before the row commits; a file without a row is swept.
    """

    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True, editable=False)
    media_type = models.CharField(_("type"), max_length=100, editable=False)
    size = models.PositiveBigIntegerField(_("bytes"), editable=False)
    key = models.CharField(_("storage key"), max_length=120, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = (models.Index(fields=("created_at",), name="documents_asset_age"),)

    def __str__(self) -> str:
        return f"{self.media_type}, {self.sha256[:12]}"
