"""A run's figures as a picture, written by hand: bars from zero, one group a size, one colour a side.

python -m benchmarks.api.plot results/….json
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

PANEL_WIDTH, PANEL_HEIGHT = 330, 190
LEFT, TOP, GAP_X, GAP_Y, LEGEND = 20, 96, 40, 74, 30
COLOURS = ("#1f5c3f", "#9aa5a0", "#c9a227", "#6b7fa3")
ROWS = (
    ("per_second", "requests a second: more is better", "{:.0f}"),
    ("all_cpu_ms", "CPU a request, server + database + Redis, ms: less is better", "{:.2f}"),
    ("p99_ms", "p99 with 32 connections, ms: less is better", "{:.0f}"),
)
TITLES = {
    "availability": "A week of one facility",
    "list": "My reservations, a page of 20",
    "create": "Creating a reservation",
}


def picture(found: dict[str, Any]) -> str:
    """The SVG of one engine's run."""
    scales = list(found["scales"])
    routes = list(found["scales"][scales[0]]["routes"])
    sides = list(found["scales"][scales[0]]["routes"][routes[0]]["sides"])
    width = 2 * LEFT + len(routes) * PANEL_WIDTH + (len(routes) - 1) * GAP_X
    height = TOP + len(ROWS) * (PANEL_HEIGHT + GAP_Y)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif" font-size="12" fill="#222">'
        ),
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="28" font-size="17" font-weight="bold">{escape(_title(found))}</text>',
    ]
    for number, side in enumerate(sides):
        x = LEFT + number * 170
        parts.append(f'<rect x="{x}" y="{LEGEND + 14}" width="12" height="12" fill="{_colour(number)}"/>')
        parts.append(f'<text x="{x + 18}" y="{LEGEND + 24}">{escape(side)}</text>')
    for row, (name, label, form) in enumerate(ROWS):
        for column, route in enumerate(routes):
            x = LEFT + column * (PANEL_WIDTH + GAP_X)
            y = TOP + row * (PANEL_HEIGHT + GAP_Y)
            values = [
                [_value(found["scales"][scale]["routes"][route]["sides"], side, name) for side in sides]
                for scale in scales
            ]
            parts.append(f'<text x="{x}" y="{y - 8}" font-weight="bold">{escape(TITLES[route])}</text>')
            parts.append(f'<text x="{x}" y="{y + 6}" font-size="10" fill="#666">{escape(label)}</text>')
            parts += _bars(x, y + 12, values, [_size(found, scale) for scale in scales], form)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _value(measured: dict[str, Any], side: str, name: str) -> float | None:
    """None where this side was not measured at this size."""
    return float(measured[side][name]) if side in measured else None


def _title(found: dict[str, Any]) -> str:
    trial = " (a short trial)" if found["quick"] else ""
    return f"{found['engine']}: one core for the server, one for client and database{trial}"


def _size(found: dict[str, Any], scale: str) -> str:
    return f"{found['scales'][scale]['reservations']:,} rows"


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _bars(x: float, y: float, groups: list[list[float | None]], labels: list[str], form: str) -> list[str]:
    top = max(value or 0.0 for group in groups for value in group) or 1.0
    group_width = PANEL_WIDTH / len(groups)
    bar_width = min(46.0, group_width * 0.86 / len(groups[0]))
    floor = y + PANEL_HEIGHT
    parts = [f'<line x1="{x}" y1="{floor}" x2="{x + PANEL_WIDTH}" y2="{floor}" stroke="#888"/>']
    for index, (group, label) in enumerate(zip(groups, labels, strict=True)):
        begin = x + index * group_width + (group_width - bar_width * len(group)) / 2
        for number, value in enumerate(group):
            if value is None:
                continue
            tall = (PANEL_HEIGHT - 20) * value / top
            left = begin + number * bar_width
            parts.append(
                f'<rect x="{left:.1f}" y="{floor - tall:.1f}" width="{bar_width - 2:.1f}" '
                f'height="{tall:.1f}" fill="{_colour(number)}"/>'
            )
            parts.append(
                f'<text x="{left + bar_width / 2 - 1:.1f}" y="{floor - tall - 3:.1f}" font-size="9" '
                f'text-anchor="middle">{form.format(value)}</text>'
            )
        middle = x + (index + 0.5) * group_width
        parts.append(f'<text x="{middle:.1f}" y="{floor + 15}" text-anchor="middle">{escape(label)}</text>')
    return parts


def write_picture(results: Path) -> Path:
    """Beside the JSON, under the same name."""
    path = results.with_suffix(".svg")
    path.write_text(picture(json.loads(results.read_text())))
    return path


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(write_picture(Path(name)))
