"""The staff's page has no rows of its own; the back office wants a model to hang it on."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation


class Console(Conversation):
    """The desks' conversations as staff answer them."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("chat")
        verbose_name_plural = _("chat")
