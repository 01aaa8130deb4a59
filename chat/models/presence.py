"""Who is there: live sockets by process, and when each person was last there."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class ChatProfile(models.Model):
    """What somebody allows others, and when they were last there. Without a row: the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="chat_profile",
        verbose_name=_("user"),
    )
    accepts_direct = models.BooleanField(_("members may write to them"), default=False)
    accepts_groups = models.BooleanField(_("may be put into groups"), default=False)
    shows_presence = models.BooleanField(_("shows whether they are there"), default=True)
    last_connected_at = models.DateTimeField(_("last connected at"), null=True, blank=True)
    last_active_at = models.DateTimeField(_("last active at"), null=True, blank=True)

    class Meta:
        verbose_name = _("chat profile")
        verbose_name_plural = _("chat profiles")

    def __str__(self) -> str:
        return str(self.user)


class SocketProcess(models.Model):
    """A server process that holds sockets. One whose ``seen_at`` is old was killed, sockets and all."""

    name = models.CharField(_("process"), max_length=80, unique=True)
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("seen at"))

    class Meta:
        verbose_name = _("socket process")
        verbose_name_plural = _("socket processes")

    def __str__(self) -> str:
        return self.name


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def alive(self, since: datetime) -> Self:
        """Of processes that were seen since then."""
        return self.filter(process__seen_at__gte=since)


class Connection(PublicModel):
    """A live socket. The row goes with it; of a killed process, when the next one finds it."""

    process = models.ForeignKey(
        SocketProcess, on_delete=models.CASCADE, related_name="connections", verbose_name=_("process")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="chat_connections",
        verbose_name=_("who"),
    )
    session = models.UUIDField(_("session"))
    device = models.CharField(_("device"), max_length=80, blank=True)
    platform = models.CharField(_("platform"), max_length=16, blank=True)
    app_version = models.CharField(_("app version"), max_length=32, blank=True)
    connected_at = models.DateTimeField(_("since"))
    last_active_at = models.DateTimeField(_("last active"))
    waiting_bytes = models.PositiveIntegerField(_("bytes waiting"), default=0)
    waiting_frames = models.PositiveIntegerField(_("frames waiting"), default=0)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("live connection")
        verbose_name_plural = _("live connections")
        indexes = (
            models.Index(fields=("user",), name="chat_connection_of_user"),
            models.Index(fields=("connected_at", "id"), name="chat_connection_list"),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.device}".strip()
