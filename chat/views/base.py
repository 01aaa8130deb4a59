"""What the views of the chat share."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import BaseThrottle

from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle
from bcc.core.rest.throttles import UserThrottle
from chat.models import Conversation
from chat.selectors.conversations import find_conversation
from chat.services.errors import NoSuchConversationError

TAGS: Final = ["chat"]


class ChatThrottle(UserThrottle):
    """What somebody writes, over all of their devices."""

    scope = "chat"


class ChatView(SignedInView):
    """For members and staff alike: which conversations are theirs decides what they see."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [ReadThrottle() if self.request.method in SAFE_METHODS else ChatThrottle()]

    def get_conversation(self, public_id: UUID) -> Conversation:
        """One that the caller may read; what belongs to others looks like nothing."""
        row = find_conversation(self.identity, public_id)
        if row is None:
            raise NoSuchConversationError
        return row
