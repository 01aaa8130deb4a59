"""The outbox, the texts that staff edit, and what each member wants to hear by which channel."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.credentials import OneTimePassword
from bcc.core.models import PublicModel


class Channel(models.TextChoices):
    IN_APP = "in_app", _("in the app")
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    PUSH = "push", _("push")


class MessageTemplate(models.Model):
    """The words of one kind of message on one channel. ``$field`` and ``${field}`` are filled in.

    A kind without a row here uses the text that its app declares; staff edit by making the row.
    """

    kind = models.CharField(_("kind"), max_length=64)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    subject = models.CharField(_("subject"), max_length=160, blank=True)
    body = models.TextField(_("text"))
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("message text")
        verbose_name_plural = _("message texts")
        constraints = (models.UniqueConstraint(fields=("kind", "channel"), name="accounts_template_once"),)

    def __str__(self) -> str:
        return f"{self.kind} / {self.get_channel_display()}"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def due(self, at: datetime) -> Self:
        """Waiting ones whose time has come, and those whose sender went away with its lease."""
        return self.filter(state__in=Notification.OPEN_STATES, sent_at__isnull=True, send_at__lte=at)

    def shown_to(self, user_id: int) -> Self:
        return self.filter(user_id=user_id, channel=Channel.IN_APP, state=Notification.State.SENT)


class Notification(PublicModel):
    """One message to one user by one channel, written with the change that causes it.

    ``dedupe_key`` makes it once per event and channel. ``context`` holds what the text needs and
    nothing secret; the code of ``one_time_password`` is derived as the text is written.
    Never sent after ``valid_until``. ``send_at`` is the next try; of one that is being sent, the end
    of the sender's lease. A notification in the app is sent when it is shown.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", _("waiting")
        SENDING = "SENDING", _("being sent")
        SENT = "SENT", _("sent")
        FAILED = "FAILED", _("failed")
        EXPIRED = "EXPIRED", _("too late to send")

    OPEN_STATES: ClassVar = (State.PENDING, State.SENDING)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        verbose_name=_("user"),
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    kind = models.CharField(_("kind"), max_length=64)
    context = models.JSONField(_("fields"), default=dict)
    link = models.CharField(_("link in the app"), max_length=200, blank=True)
    dedupe_key = models.CharField(max_length=160, unique=True)
    one_time_password = models.ForeignKey(OneTimePassword, on_delete=models.CASCADE, null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(_("created at"))
    send_at = models.DateTimeField(_("send at"))
    valid_until = models.DateTimeField(_("valid until"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    # The number under which the gateway or the push service knows it.
    reference = models.CharField(_("reference"), max_length=100, blank=True, default="")
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = (
            models.Index(
                fields=("send_at",),
                # What waits was not sent; SQLite takes no partial index for states that come as parameters.
                condition=Q(sent_at__isnull=True),
                name="accounts_notification_due",
            ),
            models.Index(fields=("user", "channel", "sent_at", "id"), name="accounts_notification_list"),
        )

    def __str__(self) -> str:
        return f"{self.kind} / {self.get_channel_display()}"


class ChannelPreference(models.Model):
    """A member's own choice for one kind and channel; without a row the kind's default holds."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="channel_preferences"
    )
    kind = models.CharField(_("kind"), max_length=64)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    is_wanted = models.BooleanField(_("wanted"))

    class Meta:
        verbose_name = _("channel preference")
        verbose_name_plural = _("channel preferences")
        constraints = (
            models.UniqueConstraint(fields=("user", "kind", "channel"), name="accounts_preference_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} / {self.get_channel_display()}"
