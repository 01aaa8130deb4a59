from __future__ import annotations

from typing import Protocol


class SendError(Exception):
    """It could not be handed over; it may work later. Its text names no recipient and no content."""


class Sender(Protocol):
    """Hands one text to whoever delivers it. Called outside of any transaction; may block for seconds."""

    def send(self, destination: str, subject: str, body: str) -> None:
        """Raises SendError when it was not taken."""
