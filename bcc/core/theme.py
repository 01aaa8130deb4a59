"""The club's colour as style sheet variables, for a back office without a word of inline style.

One colour is set; what stands on it and what is written in it on white are worked out, so that a
pale club stays readable (WCAG 2.2, contrast 4.5 : 1).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

READABLE: Final = 4.5
DEFAULT: Final = "#1f5c3f"
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
Rgb = tuple[int, int, int]


@cache_control(public=True, max_age=3600)
def club_css(request: HttpRequest) -> HttpResponse:
    """``--club``, ``--on-club`` and ``--club-ink``. Served before sign-in: a colour is no secret."""
    return HttpResponse(variables(settings.CLUB_COLOUR), content_type="text/css; charset=utf-8")


@lru_cache(maxsize=4)
def variables(colour: str) -> str:
    """The style sheet for ``#rrggbb``; for what is no such colour, of the usual green."""
    club = _parsed(colour if _COLOUR.fullmatch(colour) else DEFAULT)
    white, black = (255, 255, 255), (17, 17, 17)
    on_club = white if contrast(club, white) >= READABLE else black
    ink = club
    while contrast(ink, white) < READABLE:
        ink = (ink[0] * 9 // 10, ink[1] * 9 // 10, ink[2] * 9 // 10)
    return f":root{{--club:{_hex(club)};--on-club:{_hex(on_club)};--club-ink:{_hex(ink)}}}\n"


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG's contrast ratio of two sRGB colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Rgb) -> float:
    """Relative luminance as WCAG defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parsed(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
