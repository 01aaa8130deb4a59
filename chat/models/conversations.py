"""Conversations, who is in them and how far each has read."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel
from chat.models.desks import Desk


class Kind(models.TextChoices):
    DESK = "desk", _("desk")
    DIRECT = "direct", _("direct")
    GROUP = "group", _("group")
    BROADCAST = "broadcast", _("broadcast")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def joined_by(self, user_id: int) -> Self:
        """Those that the user is in, and every broadcast."""
        inside = Participant.objects.present().filter(conversation=OuterRef("pk"), user=user_id)
        return self.filter(Q(kind=Kind.BROADCAST) | Exists(inside))

    def at_desks(self) -> Self:
        return self.filter(kind=Kind.DESK)

    def waiting(self) -> Self:
        """A member wrote, and nobody has answered yet."""
        return self.filter(kind=Kind.DESK, waiting_since__isnull=False)


class Conversation(PublicModel):
    """One thread. ``last_seq`` numbers its messages, and every later change of one: it never goes back.

    ``key`` is what there is one of: "desk:<desk>:<user>", "direct:<user>:<user>", or a name of its own.
    ``waiting_since`` is when the oldest unanswered message of a member came to a desk.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        CLOSED = "CLOSED", _("closed")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    key = models.CharField(max_length=80, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=120, blank=True)
    desk = models.ForeignKey(
        Desk,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name=_("desk"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="owned_conversations",
        verbose_name=_("begun by"),
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_conversations",
        verbose_name=_("answered by"),
    )
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.OPEN)
    last_seq = models.PositiveBigIntegerField(_("last number"), default=0)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    away_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"))
    active_at = models.DateTimeField(_("last message at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        permissions = (
            ("serve_desks", _("May answer members at the desks")),
            ("broadcast", _("May write to all members")),
            ("moderate", _("May decide on reports and held messages")),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(kind=Kind.DESK, desk__isnull=False)
                | Q(kind__in=(Kind.DIRECT, Kind.GROUP, Kind.BROADCAST), desk__isnull=True),
                name="chat_conversation_desk_if_of_one",
            ),
        )
        indexes = (
            models.Index(fields=("kind", "state", "active_at"), name="chat_conversation_queue"),
            models.Index(fields=("active_at", "id"), name="chat_conversation_active"),
        )

    def __str__(self) -> str:
        return self.title or f"{self.get_kind_display()} {self.pk}"

    @property
    def topic(self) -> str:
        return topic_of(self.public_id)

    @classmethod
    def next_seqs(cls, conversation_id: int, count: int = 1, **changes: object) -> int:
        """Take ``count`` numbers and hold the row until commit; the first of them."""
        cls.objects.filter(pk=conversation_id).update(last_seq=F("last_seq") + count, **changes)
        last: int = cls.objects.values_list("last_seq", flat=True).get(pk=conversation_id)
        return last - count + 1


def topic_of(conversation: UUID) -> str:
    """Where what happens in a conversation is published."""
    return f"c.{conversation.hex}"


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def present(self) -> Self:
        return self.filter(left_at__isnull=True)

    def joined_since(self, at: datetime, user_ids: list[int]) -> Self:
        return self.present().filter(joined_at__gte=at, user_id__in=user_ids)


class Participant(models.Model):
    """Somebody in a conversation. The pointers only go forward; ``told_seq`` is the last one told away."""

    class Role(models.TextChoices):
        MEMBER = "member", _("member")
        STAFF = "staff", _("staff")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_participations"
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    last_read_seq = models.PositiveBigIntegerField(_("read until"), default=0)
    last_delivered_seq = models.PositiveBigIntegerField(_("delivered until"), default=0)
    told_seq = models.PositiveBigIntegerField(default=0, editable=False)
    is_muted = models.BooleanField(_("muted"), default=False)
    joined_at = models.DateTimeField(_("joined at"))
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = (
            models.UniqueConstraint(fields=("conversation", "user"), name="chat_participant_once"),
        )
        indexes = (models.Index(fields=("user", "joined_at"), name="chat_participant_of_user"),)

    def __str__(self) -> str:
        return f"{self.user} / {self.conversation}"


class ConversationEvent(models.Model):
    """What staff did with a desk's conversation: append-only."""

    class Kind(models.TextChoices):
        TAKEN = "taken", _("taken")
        HANDED_OVER = "handed_over", _("handed over")
        RELEASED = "released", _("given back to the queue")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("opened again")
        EXPORTED = "exported", _("transcript taken")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("what"), max_length=16, choices=Kind)
    actor = models.CharField(_("who"), max_length=150)
    to = models.CharField(_("to whom"), max_length=150, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("step at a desk")
        verbose_name_plural = _("steps at a desk")
        indexes = (models.Index(fields=("conversation", "at"), name="chat_event_of_one"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
