"""The blocklist of passwords that ships with the project (NIST 800-63B-4, 3.1.1.2).

Django's own list of 20,000 common passwords, the words of ``blocklist.txt`` and those that a deployment
adds (its club's name), all compared after folding: ``G0lf2026!`` is ``golf``. Besides, what a keyboard or
a counter types by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_SPELLED: Final = str.maketrans("0134578@$!", "oieastbasi")
_ENDS: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz")
# Shorter than this the rest of a password is no password of its own.
_SHORTEST_REST: Final = 8


class BlocklistValidator:
    """Refuses a password that is on the list in any usual spelling. ``words`` are the club's own."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        own = {"".join(word.split()) for word in words} | {part for word in words for part in word.split()}
        self.words = _shipped() | {_folded(word) for word in own if len(word) > 2}

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError with the code ``password_too_common``."""
        plain = unicodedata.normalize("NFKC", password).casefold()
        if self._is_listed(plain) or _types_itself(plain):
            raise ValidationError(
                _("This password is too well known. Choose another one, of several words perhaps."),
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        return _("A password may not be one of the well-known ones, nor the name of the club.")

    def _is_listed(self, plain: str) -> bool:
        common = _common()
        forms = {plain, plain.translate(_SPELLED), _folded(plain)}
        if forms & common or forms & self.words:
            return True
        # "golfgolf", "golf golf golf": one listed word over and over is that word.
        parts = set(re.split(r"[\W_]+", plain)) - {""}
        if len(parts) == 1 and _folded(next(iter(parts))) in self.words:
            return True
        letters = _folded(plain)
        return any(
            letters == letters[:size] * (len(letters) // size) and letters[:size] in self.words
            for size in range(1, len(letters) // 2 + 1)
            if len(letters) % size == 0
        )


def _folded(text: str) -> str:
    """Letters as they are meant: ends of digits and signs dropped, digits for letters undone, no spaces."""
    bare = _ENDS.sub("", text.casefold())
    return "".join(bare.translate(_SPELLED).split())


def _types_itself(plain: str) -> bool:
    """A run along a row of the keyboard or of the alphabet, up or down, and next to nothing else."""
    runs = 0
    for first, second in pairwise(plain):
        runs += any(
            first in row and second in row and abs(row.index(first) - row.index(second)) == 1 for row in _ROWS
        )
    return runs >= max(_SHORTEST_REST - 2, len(plain) - 3)


@lru_cache(maxsize=1)
def _shipped() -> frozenset[str]:
    lines = (Path(__file__).parent / "blocklist.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)
