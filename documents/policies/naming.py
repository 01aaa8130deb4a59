"""The name under which a document is saved, from the pattern that staff write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

FIELDS: Final = ("period", "account_no", "kind", "number")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
# What stands at the end of a name by what the bytes are.
ENDINGS: Final[Mapping[str, str]] = {
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "image/avif": ".avif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/csv": ".csv",
}


def unknown_fields(pattern: str) -> list[str]:
    """What stands in braces and is no field; an odd brace stands for itself."""
    unknown = [name for name in _FIELD.findall(pattern) if name not in FIELDS]
    rest = _FIELD.sub("", pattern)
    return unknown + [brace for brace in "{}" if brace in rest]


def filled(pattern: str, values: Mapping[str, str], *, media_type: str) -> str:
    """The name by ``pattern``; a field without a value falls away with the mark before it.

    ``SOA_{period}_{number}.pdf`` without a number is ``SOA_2026-10.pdf``. The ending is that of the
    bytes, whatever the pattern says.
    """
    text = re.sub(
        r"([ _.\-]?)\{([^{}]*)\}",
        lambda match: f"{match[1]}{values[match[2]]}" if values.get(match[2]) else "",
        pattern,
    )
    ending = ENDINGS.get(media_type, "")
    text = text.lstrip(" _-") or "document"
    if ending and not text.lower().endswith(ending):
        stem, dot, written = text.rpartition(".")
        text = f"{stem if dot and 0 < len(written) <= 5 and written.isalnum() else text}{ending}"
    return text


def told_apart(names: Iterator[str]) -> Iterator[str]:
    """``names``, of which a second that is equal, in any case of letters, becomes ``name (2).pdf``."""
    taken: set[str] = set()
    for name in names:
        made, number = name, 1
        stem, dot, ending = name.rpartition(".")
        while made.casefold() in taken:
            number += 1
            made = f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"
        taken.add(made.casefold())
        yield made
