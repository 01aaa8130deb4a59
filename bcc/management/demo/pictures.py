"""The demo club's pictures: drawn here, so plainly nobody's, and taken in like any other."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Final

from PIL import Image as Canvas
from PIL import ImageDraw

from documents.models import Image, ImagePurpose
from documents.services.images import take_in
from facilities.models import Announcement, Event, Facility, FacilityImage, Outlet, Promo
from facilities.services import save_content

_SIZE: Final = (960, 640)
_WIDTH, _HEIGHT = _SIZE
_WHITE: Final = "#f4f4ee"

Draw = ImageDraw.ImageDraw
Paint = Callable[[Draw], None]


def load_pictures(*, now: datetime) -> None:
    """One for each kind of facility that there is a drawing for, and some for content."""
    for kind, (alt, paint) in _BY_KIND.items():
        facilities = list(Facility.objects.filter(kind=kind).order_by("position", "pk"))
        if facilities:
            image = _taken(paint, alt, now)
            for facility in facilities:
                FacilityImage.objects.create(facility=facility, image=image)
    for model, alt, paint in _BY_CONTENT:
        row = model._default_manager.order_by("position", "pk").first()
        if row is not None:
            save_content(instance=row, values={"image": _taken(paint, alt, now)})


def _taken(paint: Paint, alt: str, now: datetime) -> Image:
    canvas = Canvas.new("RGB", _SIZE)
    paint(ImageDraw.Draw(canvas))
    content = io.BytesIO()
    canvas.save(content, "PNG", compress_level=1)
    return take_in(content=content, purpose=ImagePurpose.CLUB, by_user_id=None, alt=alt, now=now)


def _sky(draw: Draw, above: tuple[int, int, int], below: tuple[int, int, int]) -> None:
    for y in range(_HEIGHT):
        share = y / _HEIGHT
        colour = tuple(round(a + (b - a) * share) for a, b in zip(above, below, strict=True))
        draw.line(((0, y), (_WIDTH, y)), fill=colour)


def _hill(draw: Draw, left: int, top: int, right: int, colour: str) -> None:
    draw.ellipse((left, top, right, top + 900), fill=colour)


def _green(draw: Draw) -> None:
    _sky(draw, (120, 180, 225), (236, 240, 222))
    draw.ellipse((700, 70, 800, 170), fill="#fff3c4")
    _hill(draw, -300, 300, 700, "#5d8f5a")
    _hill(draw, 300, 350, 1300, "#467a4c")
    _hill(draw, -200, 430, 1200, "#6fae62")
    draw.ellipse((360, 500, 700, 590), fill="#8cc97b")
    draw.line(((540, 545), (540, 300)), fill=_WHITE, width=6)
    draw.polygon(((540, 300), (640, 330), (540, 362)), fill="#c0392b")


def _court(draw: Draw) -> None:
    draw.rectangle((0, 0, *_SIZE), fill="#2f6b4f")
    draw.polygon(((190, 90), (770, 90), (930, 600), (30, 600)), fill="#2c6fa8")
    for line in (
        ((215, 100), (60, 590)), ((745, 100), (900, 590)), ((215, 100), (745, 100)), ((60, 590), (900, 590)),
        ((175, 220), (785, 220)), ((115, 420), (845, 420)), ((480, 220), (480, 420)),
    ):  # fmt: skip
        draw.line(line, fill=_WHITE, width=6)
    draw.line(((100, 315), (860, 315)), fill="#1d2b33", width=10)
    draw.ellipse((610, 470, 650, 510), fill="#d9e84a")


def _lanes(draw: Draw) -> None:
    draw.rectangle((0, 0, *_SIZE), fill="#3a2c24")
    for number in range(5):
        left, right = 60 + number * 170, 190 + number * 170
        near_left, near_right = -140 + number * 256, 60 + number * 256
        draw.polygon(((left, 150), (right, 150), (near_right, 640), (near_left, 640)), fill="#c9985b")
        for pin in range(3):
            x = left + 30 + pin * 32
            draw.ellipse((x, 95, x + 22, 150), fill=_WHITE)
    draw.ellipse((400, 430, 520, 550), fill="#27408b")


def _room(draw: Draw) -> None:
    draw.rectangle((0, 0, *_SIZE), fill="#e9dcc6")
    draw.rectangle((560, 80, 860, 330), fill="#9fc5e8", outline="#7a5c43", width=14)
    draw.line(((710, 80), (710, 330)), fill="#7a5c43", width=10)
    draw.rectangle((0, 520, *_SIZE), fill="#a9825a")
    draw.rectangle((90, 300, 130, 560), fill="#6b4a31")
    draw.rounded_rectangle((110, 400, 640, 560), 24, fill="#f8f4ec")
    draw.rounded_rectangle((110, 450, 640, 570), 24, fill="#2f6b4f")
    draw.rounded_rectangle((140, 360, 290, 430), 20, fill=_WHITE)


def _hall(draw: Draw) -> None:
    _sky(draw, (64, 40, 52), (140, 90, 70))
    for number in range(4):
        x = 120 + number * 240
        draw.line(((x, 0), (x, 110)), fill="#d9b25f", width=4)
        draw.ellipse((x - 40, 100, x + 40, 150), fill="#ffe9a8")
        draw.ellipse((x - 110, 430, x + 110, 520), fill=_WHITE)
        draw.rectangle((x - 8, 475, x + 8, 600), fill="#4b3326")


def _plate(draw: Draw) -> None:
    draw.rectangle((0, 0, *_SIZE), fill="#7a5238")
    for number in range(8):
        draw.line(((0, number * 85), (_WIDTH, number * 85)), fill="#6b4730", width=4)
    draw.ellipse((250, 90, 710, 550), fill=_WHITE)
    draw.ellipse((310, 150, 650, 490), fill="#e7e3d6")
    draw.ellipse((370, 220, 530, 380), fill="#d35400")
    draw.ellipse((470, 280, 600, 410), fill="#3f8f4f")
    draw.rounded_rectangle((800, 150, 822, 520), 10, fill="#c8ccd0")


_BY_KIND: Final[dict[str, tuple[str, Paint]]] = {
    "tee": ("A drawing of a green with its flag, hills behind it.", _green),
    "court": ("A drawing of a blue court from above its base line.", _court),
    "lane": ("A drawing of five bowling lanes.", _lanes),
    "room_night": ("A drawing of a room with a bed and a window.", _room),
    "hall": ("A drawing of a hall with lamps and tables.", _hall),
}
_BY_CONTENT: Final = (
    (Announcement, "A drawing of a green with its flag, hills behind it.", _green),
    (Event, "A drawing of a hall with lamps and tables.", _hall),
    (Outlet, "A drawing of a plate on a wooden table.", _plate),
    (Promo, "A drawing of a blue court from above its base line.", _court),
)
