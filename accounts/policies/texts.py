"""What a text message costs: in how many parts it is sent, and to which countries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# GSM 03.38: what seven bits hold; the second set takes two places.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")


def sms_parts(text: str) -> int:
    """How many parts a gateway bills: 160 characters of GSM's alphabet in one, 153 in each of several;
    70 and 67 where a character is not of it."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        length, one, each = sum(1 + (letter in _EXTENDED) for letter in text), 160, 153
    else:
        length, one, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= one else -(-length // each)


def may_be_texted(number: str, countries: Iterable[str]) -> bool:
    """Whether an E.164 number is of a country that the club sends texts to ("+63")."""
    return any(number.startswith(country) for country in countries)
