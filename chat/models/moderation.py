"""What keeps the chat civil: reports, blocks, the word list, retention, and who read what."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel
from chat.models.conversations import Conversation, Kind
from chat.models.messages import Message


class MessageReport(PublicModel):
    """A member's complaint about a message. The snapshot is of the moment, and outlives every deletion."""

    class Reason(models.TextChoices):
        ABUSE = "abuse", _("abuse or insult")
        HARASSMENT = "harassment", _("harassment")
        SPAM = "spam", _("advertising or spam")
        PRIVACY = "privacy", _("private data")
        OTHER = "other", _("something else")

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        UPHELD = "UPHELD", _("upheld")
        DISMISSED = "DISMISSED", _("dismissed")

    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="reports")
    # Of the message, which may be gone: so that nobody reports one twice.
    reported_id = models.UUIDField(_("message"))
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("reported by")
    )
    reported_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("about")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    note = models.CharField(_("note"), max_length=500, blank=True)
    snapshot = models.JSONField(_("snapshot"), default=dict)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(_("reported at"))
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = (models.UniqueConstraint(fields=("reporter", "reported_id"), name="chat_report_once"),)
        indexes = (models.Index(fields=("state", "created_at"), name="chat_report_queue"),)

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.created_at:%Y-%m-%d}"


class BlockQuerySet(models.QuerySet["Block"]):
    def between(self, one: int, other: int) -> Self:
        """A block of either by the other."""
        return self.filter(Q(blocker_id=one, blocked_id=other) | Q(blocker_id=other, blocked_id=one))


class Block(models.Model):
    """One member wants to hear nothing from another, in direct and group chats."""

    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_blocks"
    )
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("since"))

    objects = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = (
            models.UniqueConstraint(fields=("blocker", "blocked"), name="chat_block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="chat_block_of_another"),
        )

    def __str__(self) -> str:
        return f"{self.blocker} → {self.blocked}"


class HeldWord(models.Model):
    """A word or phrase that holds a message for the moderator. Whole words, whatever the case."""

    phrase = models.CharField(_("word or phrase"), max_length=80, unique=True)
    is_active = models.BooleanField(_("in use"), default=True)
    note = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("held word")
        verbose_name_plural = _("word list")

    def __str__(self) -> str:
        return self.phrase


class RetentionRule(models.Model):
    """How long messages of a kind of conversation are kept. Without a rule they are kept."""

    kind = models.CharField(_("kind of conversation"), max_length=16, choices=Kind, unique=True)
    keep_days = models.PositiveIntegerField(
        _("days"), validators=[MinValueValidator(1), MaxValueValidator(36_500)]
    )

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.keep_days}"


class StaffReading(models.Model):
    """A member of staff read somebody's conversation: written as the page is shown, never changed."""

    class Place(models.TextChoices):
        CONSOLE = "console", _("console")
        TRANSCRIPT = "transcript", _("transcript")
        REPORT = "report", _("report")
        HELD = "held", _("held message")

    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("staff")
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="readings", verbose_name=_("conversation")
    )
    place = models.CharField(_("where"), max_length=16, choices=Place)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("reading by staff")
        verbose_name_plural = _("readings by staff")
        indexes = (
            models.Index(fields=("conversation", "at"), name="chat_reading_of_one"),
            models.Index(fields=("at", "id"), name="chat_reading_age"),
        )

    def __str__(self) -> str:
        return f"{self.staff} {self.at:%Y-%m-%d %H:%M}"


class ChatSettings(models.Model):
    """What the club allows: one row, edited by staff."""

    class Links(models.TextChoices):
        ALLOWED = "allowed", _("allowed")
        HELD = "held", _("held for the moderator")
        REFUSED = "refused", _("refused")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    allows_direct = models.BooleanField(_("members may write to each other"), default=False)
    allows_groups = models.BooleanField(_("members may make groups"), default=False)
    group_size = models.PositiveSmallIntegerField(
        _("most people in a group"), default=50, validators=[MinValueValidator(2), MaxValueValidator(500)]
    )
    longest_message = models.PositiveIntegerField(
        _("longest message, in characters"),
        default=4000,
        validators=[MinValueValidator(100), MaxValueValidator(8000)],
    )
    edit_minutes = models.PositiveIntegerField(
        _("minutes in which a message may be changed"), default=15, validators=[MaxValueValidator(10_080)]
    )
    links = models.CharField(
        _("links in members' messages"), max_length=16, choices=Links, default=Links.ALLOWED
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("rules of the chat")
        verbose_name_plural = _("rules of the chat")

    def __str__(self) -> str:
        return str(_("Rules of the chat"))
