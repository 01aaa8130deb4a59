"""What may stand in a message: its length, its links, and the words that hold it for a moderator."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

# An address written out, or a name that a phone makes a link of.
_LINK: Final = re.compile(
    r"(?:https?://|www\.)\S|\b[a-z0-9-]{2,}\.(?:com|net|org|info|biz|io|me|ph|link|shop|site|xyz)\b",
    re.IGNORECASE,
)
# Everything that does not print, but for line ends and tabs.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def cleaned(body: str) -> str:
    """``body`` without space around it, with one kind of line end."""
    return body.replace("\r\n", "\n").replace("\r", "\n").strip()


def is_printable(body: str) -> bool:
    return _CONTROL.search(body) is None


def has_link(body: str) -> bool:
    return _LINK.search(body) is not None


def found_phrases(body: str, phrases: Iterable[str]) -> list[str]:
    """Which of ``phrases`` stand in ``body`` as whole words, whatever their case, width and spacing."""
    text = _plain(body)
    return [one for one in phrases if re.search(rf"(?<!\w){re.escape(_plain(one))}(?!\w)", text)]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
