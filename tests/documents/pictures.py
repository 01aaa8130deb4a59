"""Pictures for tests: good ones with all that phones hang on, and bad ones of every kind. All drawn here."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageCms, PngImagePlugin

# What must not be found in anything that is served.
JUNK: Final = b"JUNK-THAT-TELLS"
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 190, 30), (30, 30, 220), (230, 220, 40)
HEIC: Final = Path(__file__).with_name("data") / "turned.heic"
# EXIF's orientation → how an upright picture is laid down so that it says so.
_LAID: Final[dict[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def corners(width: int = 120, height: int = 80) -> Image.Image:
    """Red and green above, blue and yellow below: however it is turned, one sees how."""
    image = Image.new("RGB", (width, height))
    for number, colour in enumerate((RED, GREEN, BLUE, YELLOW)):
        left, top = number % 2 * (width // 2), number // 2 * (height // 2)
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def photo(width: int, height: int, *, seed: int = 1) -> Image.Image:
    """Something like a photo: soft colours, edges, and grain."""
    drawn = random.Random(seed)
    small = Image.new("RGB", (8, 6))
    for x in range(8):
        for y in range(6):
            small.putpixel((x, y), tuple(drawn.randrange(40, 220) for _ in range(3)))
    image = small.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (128, 128), drawn.randbytes(128 * 128)).resize((width, height))
    return Image.blend(image, Image.merge("RGB", [grain] * 3), 0.1)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg(width: int = 120, height: int = 80, **options: Any) -> bytes:
    return saved(corners(width, height), "JPEG", **{"quality": 92, "subsampling": 0, **options})


def exif(orientation: int = 1) -> Image.Exif:
    """What a phone writes: where it was, when, and whose phone it is."""
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F] = JUNK.decode()
    found.get_ifd(0x8825)[1] = "N"
    found.get_ifd(0x8825)[2] = (14.0, 35.0, 58.0)
    found.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + JUNK
    return found


def laid(orientation: int, form: str = "JPEG", *, width: int = 120, height: int = 80) -> bytes:
    """``corners`` upright, stored as EXIF's orientation says."""
    image = corners(width, height)
    if orientation in _LAID:
        image = image.transpose(_LAID[orientation])
    options = {"quality": 92, "subsampling": 0} if form == "JPEG" else {}
    return saved(image, form, exif=exif(orientation), **options)


def profile(*, swapped: bool = False) -> bytes:
    """An ICC profile with junk in it: sRGB, or ``swapped`` with red and blue in each other's place."""
    content: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if swapped:
        content = (
            content.replace(b"rXYZ", b"tXYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tXYZ", b"bXYZ", 1)
        )
    return content + JUNK


def with_everything(form: str) -> bytes:
    """A picture with every kind of thing hung on that its format has room for."""
    image = corners(640, 480)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + JUNK + b"</x:xmpmeta>"
    if form == "JPEG":
        content = saved(image, form, exif=exif(6), icc_profile=profile(), xmp=xmp, comment=JUNK, dpi=(72, 72))
        app13 = b"Photoshop 3.0\0" + JUNK
        segment = b"\xff\xed" + struct.pack(">H", len(app13) + 2) + app13
        return content[:2] + segment + content[2:] + b"trailer of a phone " + JUNK
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", JUNK.decode())
        info.add_text("Author", JUNK.decode(), zip=True)
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return saved(image, form, pnginfo=info, exif=exif(6), icc_profile=profile())
    return saved(image, form, exif=exif(6), icc_profile=profile(), xmp=xmp)


def mpo() -> bytes:
    """A JPEG of two pictures, as phones write a photo with its depth."""
    return saved(corners(), "MPO", save_all=True, append_images=[corners(60, 40)])


def grey16() -> bytes:
    """A ramp from black to white in 16 bits."""
    image = Image.new("I;16", (256, 32))
    for x in range(256):
        image.paste(x * 257, (x, 0, x + 1, 32))
    return saved(image, "PNG")


def png_header(width: int, height: int, *, body: bytes = b"") -> bytes:
    """A PNG that says how large it is, and has next to nothing behind it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _resized_jpeg(width: int, height: int, *, progressive: bool) -> bytes:
    """A JPEG whose header says another size than it has."""
    content = bytearray(jpeg(progressive=progressive))
    at = content.find(b"\xff\xc2" if progressive else b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("inside.txt", "hidden")
    return out.getvalue()


def _film(form: str) -> bytes:
    frames = [photo(64, 48, seed=number) for number in range(3)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100)


def _text_bomb() -> bytes:
    """A PNG whose compressed comment is 64 MB of nothing."""
    info = PngImagePlugin.PngInfo()
    content = saved(corners(), "PNG", pnginfo=info)
    body = b"Comment\0\0" + zlib.compress(b"\0" * (64 * 1024 * 1024), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return content[:33] + chunk + content[33:]


EPS: Final = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n(x) show\nshowpage\n%%EOF\n"
)

# By name: what is sent, and the codes that its refusal may have.
BAD: Final[dict[str, tuple[Callable[[], bytes], frozenset[str]]]] = {
    "nothing": (lambda: b"", frozenset({"not_an_image"})),
    "a text": (lambda: b"Dear members, " * 40, frozenset({"not_an_image"})),
    "an EPS, whatever its name": (lambda: EPS, frozenset({"not_an_image"})),
    "an EPS behind a TIFF's preview": (
        lambda: b"\xc5\xd0\xd3\xc6" + struct.pack("<7I", 32, len(EPS), 0, 0, 0, 0, 0) + EPS,
        frozenset({"not_an_image"}),
    ),
    "an SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", frozenset({"not_an_image"})),
    "a BMP": (lambda: saved(corners(), "BMP"), frozenset({"not_an_image"})),
    "a TIFF": (lambda: saved(corners(), "TIFF"), frozenset({"not_an_image"})),
    "a GIF": (lambda: saved(corners(), "GIF"), frozenset({"not_an_image"})),
    "an animated GIF": (lambda: _film("GIF"), frozenset({"not_an_image"})),
    "an animated PNG": (lambda: _film("PNG"), frozenset({"animated"})),
    "an animated WebP": (lambda: _film("WEBP"), frozenset({"animated"})),
    "an animated AVIF": (lambda: _film("AVIF"), frozenset({"animated", "not_an_image"})),
    "a JPEG's first bytes": (lambda: jpeg()[:3], frozenset({"broken_image"})),
    "half a JPEG": (lambda: _half(jpeg(640, 480)), frozenset({"broken_image"})),
    "half a progressive JPEG": (
        lambda: _half(saved(photo(640, 480), "JPEG", progressive=True)),
        frozenset({"broken_image"}),
    ),
    "a JPEG without its last lines": (
        lambda: saved(photo(640, 480), "JPEG")[:-2000],
        frozenset({"broken_image"}),
    ),
    "half a PNG": (lambda: _half(saved(photo(640, 480), "PNG")), frozenset({"broken_image"})),
    "half a WebP": (lambda: _half(saved(photo(640, 480), "WEBP")), frozenset({"broken_image"})),
    "half an AVIF": (lambda: _half(saved(photo(640, 480), "AVIF")), frozenset({"broken_image"})),
    "half a HEIC": (lambda: _half(HEIC.read_bytes()), frozenset({"broken_image"})),
    "a strip of one pixel": (lambda: saved(Image.new("RGB", (1, 20_000)), "PNG"), frozenset({"too_long"})),
    "a long strip": (lambda: saved(Image.new("RGB", (20, 4000)), "PNG"), frozenset({"too_long"})),
    "a dot": (lambda: saved(Image.new("RGB", (1, 1)), "PNG"), frozenset({"too_small"})),
    "a flood of pixels": (lambda: png_header(50_000, 50_000), frozenset({"too_many_pixels"})),
    "a flood that is there": (
        lambda: png_header(30_000, 30_000, body=zlib.compress(b"\0" * 50_000_000, 9)),
        frozenset({"too_many_pixels"}),
    ),
    "a PNG beyond all numbers": (
        lambda: png_header(0x7FFFFFFF, 0x7FFFFFFF),
        frozenset({"too_many_pixels", "broken_image"}),
    ),
    "a JPEG that says it is huge": (
        lambda: _resized_jpeg(65_000, 65_000, progressive=False),
        frozenset({"too_many_pixels"}),
    ),
    "a large progressive JPEG": (
        lambda: _resized_jpeg(7000, 7000, progressive=True),
        frozenset({"too_many_pixels"}),
    ),
    "a comment that unpacks without end": (_text_bomb, frozenset({"broken_image"})),
    "a photo with an archive behind it": (lambda: jpeg() + _zip(), frozenset({"polyglot"})),
    "a PDF in a photo's comment": (lambda: jpeg(comment=b"%PDF-1.7\n"), frozenset({"polyglot"})),
    "a page in a photo's comment": (
        lambda: jpeg(comment=b"<script>alert(1)</script>"),
        frozenset({"polyglot"}),
    ),
    "a program behind a picture": (
        lambda: saved(corners(), "PNG") + b"<?php system($_GET['c']); ?>",
        frozenset({"polyglot"}),
    ),
    "too many bytes": (lambda: jpeg() + b"\0" * (25 * 1024 * 1024), frozenset({"too_many_bytes"})),
}


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def mutants(count: int, *, seed: int) -> Iterator[bytes]:
    """Good pictures, spoilt: bits turned, parts cut out, doubled, blanked or overwritten with extremes."""
    drawn = random.Random(seed)
    sound = [
        with_everything("JPEG"),
        saved(photo(320, 240), "JPEG", progressive=True),
        saved(photo(160, 120), "PNG"),
        with_everything("WEBP"),
        saved(photo(320, 240), "AVIF"),
        HEIC.read_bytes(),
        mpo(),
        grey16(),
    ]
    for _ in range(count):
        content = bytearray(drawn.choice(sound))
        for _change in range(drawn.randint(1, 6)):
            # Most of what matters stands at the beginning.
            reach = min(len(content), 600) if drawn.random() < 0.6 else len(content)
            at = drawn.randrange(max(1, reach))
            length = drawn.choice((1, 1, 2, 4, 16, 200))
            match drawn.randrange(5):
                case 0:
                    content[at : at + 1] = bytes([content[at] ^ (1 << drawn.randrange(8))])
                case 1:
                    del content[at : at + length]
                case 2:
                    content[at:at] = content[at : at + length]
                case 3:
                    content[at : at + length] = bytes(len(content[at : at + length]))
                case 4:
                    extreme = drawn.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
                    content[at : at + 4] = extreme
            if not content:
                break
        yield bytes(content)
