"""The name that a file gets where it is saved, whatever script it is written in."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

MAX_NAME: Final = 150
# Marks that change the direction of a text: "fdp.exe" must not read as "exe.pdf".
_DIRECTION: Final = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# What a file system or a header reads as something else: separators, quotes, wildcards, drives.
_UNFIT: Final = re.compile(r'[\\/:*?"<>|%;]')
_SPACES: Final = re.compile(r"\s+")
# RFC 8187, 3.2.1: attr-char, beside letters and digits.
_ATTR_CHARS: Final = "!#$&+-.^_`|~"


def safe_name(name: str, *, otherwise: str = "file") -> str:
    """``name`` as a file may be called on every system: one line, no path, at most 150 characters.

    The end of the name (its type) is kept when it is shortened. Letters of every script stay.
    """
    text = unicodedata.normalize("NFC", _readable(name)).translate(_DIRECTION)
    text = _SPACES.sub(" ", _UNFIT.sub("_", text)).strip(" .")
    if not text:
        return otherwise
    if len(text) <= MAX_NAME:
        return text
    stem, dot, kind = text.rpartition(".")
    if not dot or len(kind) > 10:
        return text[:MAX_NAME].rstrip()
    return f"{stem[: MAX_NAME - len(kind) - 1].rstrip()}.{kind}"


def content_disposition(name: str, *, inline: bool = False) -> str:
    """The header by RFC 6266: a plain name for old clients, and the true one in UTF-8 if it has more."""
    name = safe_name(name)
    kind = "inline" if inline else "attachment"
    plain = ascii_name(name)
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{encoded_name(name)}"


def encoded_name(name: str) -> str:
    """``name`` as RFC 8187 writes a value: every byte of UTF-8 that is no attr-char as ``%XX``."""
    return quote(name, safe=_ATTR_CHARS)


def ascii_name(name: str) -> str:
    """The nearest name in ASCII: marks fall away, what has no such form becomes an underscore."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    plain = "".join(one if " " <= one <= "~" and one not in '"\\' else "_" for one in plain)
    return plain if plain.strip(" .") else "_"


def _readable(name: str) -> str:
    """Without control characters, and without halves of characters that UTF-8 cannot write."""
    return "".join(
        " " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one
        for one in name
        if unicodedata.category(one) != "Cs"
    )
