"""Messages that staff write to many members at once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class StaffMessage(PublicModel):
    """Written by staff, sent once to each of an audience, through the outbox.

    ``audience`` is the code of a kind of audience and ``chosen`` which one of it ("category" and
    "regular"). ``next_user_id`` is how far it has come: those below it have been told.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("draft")
        SCHEDULED = "SCHEDULED", _("waiting")
        SENDING = "SENDING", _("being sent")
        SENT = "SENT", _("sent")
        STOPPED = "STOPPED", _("stopped")

    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), max_length=2000)
    link = models.CharField(
        _("link in the app"), max_length=200, blank=True, help_text=_("Such as facilities/… or events/….")
    )
    audience = models.CharField(_("audience"), max_length=32)
    chosen = models.CharField(_("which"), max_length=80, blank=True)
    by_email = models.BooleanField(
        _("also by e-mail"), default=True, help_text=_("To those who want messages of this kind by e-mail.")
    )
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.DRAFT)
    written_by = models.CharField(_("written by"), max_length=150)
    created_at = models.DateTimeField(_("written at"))
    send_at = models.DateTimeField(_("send at"), null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    next_user_id = models.BigIntegerField(default=0, editable=False)
    told = models.PositiveIntegerField(_("members told"), default=0)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("message to members")
        verbose_name_plural = _("messages to members")

    def __str__(self) -> str:
        return self.title
