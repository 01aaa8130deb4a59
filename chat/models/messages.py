"""What is said."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel
from chat.models.conversations import Conversation
from documents.models import Asset, Image


class MessageQuerySet(models.QuerySet["Message"]):
    def changed_after(self, seq: int) -> Self:
        """New ones and changed ones, in the order of their last change."""
        return self.filter(change_seq__gt=seq).order_by("change_seq")

    def unread_after(self, seq: int) -> Self:
        return self.filter(seq__gt=seq, deleted_at__isnull=True)


class Message(PublicModel):
    """One message. ``seq`` is its place; ``change_seq`` the number of its last change, at first the same.

    ``sender`` of an away message or a step is whoever caused it; only a TEXT is shown as theirs.
    A deleted message keeps its place and loses its text.
    """

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        AWAY = "away", _("away message")
        EVENT = "event", _("step")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveBigIntegerField(_("number"))
    change_seq = models.PositiveBigIntegerField(_("number of the last change"))
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.TEXT)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="chat_messages",
        verbose_name=_("sender"),
    )
    client_id = models.UUIDField(default=uuid.uuid4)
    body = models.TextField(_("text"), blank=True)
    reply_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("sent at"))
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.UniqueConstraint(fields=("conversation", "seq"), name="chat_message_seq_once"),
            models.UniqueConstraint(fields=("conversation", "change_seq"), name="chat_message_change_once"),
            models.UniqueConstraint(fields=("sender", "client_id"), name="chat_message_client_id_once"),
        )
        indexes = (models.Index(fields=("created_at",), name="chat_message_age"),)

    def __str__(self) -> str:
        return f"{self.conversation_id}/{self.seq}"


class Attachment(PublicModel):
    """A picture of a message. ``asset`` is the clean variant that is served; the image knows the rest."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attachments", verbose_name=_("message")
    )
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+", verbose_name=_("image"))
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    name = models.CharField(_("name"), max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = (
            models.UniqueConstraint(fields=("message", "position"), name="chat_attachment_place_once"),
        )

    def __str__(self) -> str:
        return self.name or str(self.public_id)


class HeldMessage(PublicModel):
    """A message that the word list keeps from everyone until a moderator has looked at it."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        RELEASED = "RELEASED", _("released")
        REFUSED = "REFUSED", _("refused")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="held")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("sender")
    )
    client_id = models.UUIDField()
    body = models.TextField(_("text"))
    reply_to = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    found = models.CharField(_("held for"), max_length=200)
    created_at = models.DateTimeField(_("sent at"))
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.WAITING)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("held message")
        verbose_name_plural = _("held messages")
        constraints = (
            models.UniqueConstraint(fields=("sender", "client_id"), name="chat_held_client_id_once"),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="chat_held_queue"),)

    def __str__(self) -> str:
        return f"{self.sender}: {self.found}"
