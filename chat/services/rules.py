"""The club's rules of the chat and its word list, as a process remembers them for a few seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from chat.models import ChatSettings, HeldWord
from chat.policies.words import cleaned, found_phrases, has_link, is_printable
from chat.services.errors import EmptyMessageError, LinksRefusedError, MessageTooLongError, UnprintableError

KEPT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The row of the settings and the phrases of the word list."""

    settings: ChatSettings
    phrases: tuple[str, ...]


_kept: tuple[float, Rules] | None = None


def current_rules() -> Rules:
    """Two queries every few seconds, else none."""
    global _kept
    if _kept is not None and time.monotonic() - _kept[0] < KEPT_SECONDS:
        return _kept[1]
    settings = ChatSettings.objects.filter(pk=1).first() or ChatSettings()
    phrases = HeldWord.objects.filter(is_active=True).order_by("phrase").values_list("phrase", flat=True)
    rules = Rules(settings, tuple(phrases))
    _kept = (time.monotonic(), rules)
    return rules


def forget_rules() -> None:
    """Read them anew: they have been changed in this process."""
    global _kept
    _kept = None


def checked_body(body: str, *, is_staff: bool, may_be_empty: bool = False) -> tuple[str, list[str]]:
    """``body`` as it is kept, and what of it must wait for a moderator. Staff write what they like.

    Raises EmptyMessageError, MessageTooLongError, UnprintableError and LinksRefusedError.
    """
    rules = current_rules()
    text = cleaned(body)
    if not text and not may_be_empty:
        raise EmptyMessageError
    if len(text) > rules.settings.longest_message:
        raise MessageTooLongError(limit=rules.settings.longest_message)
    if not is_printable(text):
        raise UnprintableError
    if is_staff:
        return text, []
    held = found_phrases(text, rules.phrases)
    if rules.settings.links != ChatSettings.Links.ALLOWED and has_link(text):
        if rules.settings.links == ChatSettings.Links.REFUSED:
            raise LinksRefusedError
        held.append("link")
    return text, held
