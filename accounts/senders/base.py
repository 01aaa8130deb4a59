from __future__ import annotations

from typing import Protocol


class SendError(Exception):
    """It could not be handed over; it may work later. Its text names no recipient and no content."""


class RefusedError(SendError):
    """It was refused for good: trying the same again changes nothing."""


class GoneError(RefusedError):
    """The device has no such token any more: the app was removed, or got another one."""


class Sender(Protocol):
    """Hands one text to whoever delivers it. Called outside of any transaction; may block for seconds."""

    def send(self, destination: str, subject: str, body: str) -> str | None:
        """The reference under which the other side knows it, if it gives one.

        Raises RefusedError when it will never be taken, and SendError when it was not taken now.
        """


class PushSender(Protocol):
    """Hands one push to one device; ``destination`` is its push token, ``link`` where in the app it leads."""

    def send(self, destination: str, subject: str, body: str, link: str = "") -> str | None:
        """As a Sender; raises GoneError for a token that is no more."""
