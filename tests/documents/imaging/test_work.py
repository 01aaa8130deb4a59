"""What is made of a good picture, by either engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from documents.imaging import plan, work
from documents.imaging.containers import is_bare
from documents.imaging.plan import AVIF, NAMES, WEBP
from tests.documents import pictures
from tests.documents.imaging.conftest import Made
from tests.documents.pictures import BLUE, GREEN, JUNK, RED, YELLOW

Make = Callable[..., Made]
FORMS = ("JPEG", "PNG", "WEBP")


@pytest.fixture(params=["pillow", "vips"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pixel(image: Image.Image, x: int, y: int, mode: str = "RGB") -> tuple[int, ...]:
    found = image.convert(mode).getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(map(int, found))


def near(found: Any, wanted: tuple[int, ...], *, by: int = 14) -> bool:
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def seen_corners(image: Image.Image) -> list[Any]:
    width, height = image.size
    across, down = (width // 5, width - width // 5), (height // 5, height - height // 5)
    return [image.convert("RGB").getpixel((x, y)) for y in down for x in across]


class TestUpright:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("form", FORMS)
    def test_however_it_was_laid_down(self, make: Make, engine: str, form: str, orientation: int) -> None:
        answer, opened = make(pictures.laid(orientation, form), engine=engine)
        assert (answer["width"], answer["height"]) == (120, 80)
        for name in ("large", "small"):
            found = seen_corners(opened(name))
            assert all(map(near, found, (RED, GREEN, BLUE, YELLOW))), (name, found)

    def test_when_it_is_shrunk_on_the_way(self, make: Make, engine: str) -> None:
        answer, opened = make(pictures.laid(6, width=3000, height=2000), engine=engine)
        assert [(one["width"], one["height"]) for one in answer["variants"]] == [
            (1600, 1067), (800, 533), (400, 267), (256, 256),
        ]  # fmt: skip
        assert all(map(near, seen_corners(opened("medium")), (RED, GREEN, BLUE, YELLOW)))

    def test_a_number_that_is_no_orientation_is_none(self, make: Make, engine: str) -> None:
        _answer, opened = make(
            pictures.saved(pictures.corners(), "JPEG", exif=pictures.exif(99)), engine=engine
        )
        assert near(seen_corners(opened("large"))[0], RED, by=30)

    def test_heic_is_turned_by_its_own_container_alone(self, make: Make, engine: str) -> None:
        answer, opened = make(pictures.HEIC.read_bytes(), engine=engine)
        assert (answer["media_type"], answer["width"], answer["height"]) == ("image/heic", 96, 64)
        assert all(map(near, seen_corners(opened("large")), (RED, GREEN, BLUE, YELLOW)))


class TestNothingTold:
    @pytest.mark.parametrize("form", [*FORMS, "AVIF"])
    def test_of_what_hung_on_the_picture(self, make: Make, engine: str, form: str, tmp_path: Path) -> None:
        content = pictures.with_everything(form)
        assert content.count(JUNK) >= (2 if form == "PNG" else 3)
        answer, _opened = make(content, engine=engine, avif=True)
        for one in answer["variants"]:
            made = (tmp_path / one["file"]).read_bytes()
            assert is_bare(made, one["media_type"]), one
            assert JUNK not in made

    def test_what_it_is_held_to_sees_a_profile_exif_and_xmp(self) -> None:
        image = pictures.corners()
        for form, media_type in (("WEBP", WEBP), ("AVIF", AVIF)):
            assert is_bare(pictures.saved(image, form), media_type)
            assert not is_bare(pictures.saved(image, form) + b"x", media_type)
            assert not is_bare(pictures.saved(image, form)[:-9], media_type)
            for more in ({"exif": pictures.exif()}, {"icc_profile": pictures.profile()}, {"xmp": b"<x/>"}):
                assert not is_bare(pictures.saved(image, form, **more), media_type), more
        assert not is_bare(pictures.jpeg(), WEBP)
        assert not is_bare(pictures.jpeg(), "image/jpeg")


class TestColour:
    def test_of_paper_is_seen_on_a_screen(self, make: Make, engine: str) -> None:
        image = Image.new("CMYK", (200, 100), (0, 255, 255, 0))
        _answer, opened = make(pictures.saved(image, "JPEG"), engine=engine)
        red, green, blue = pixel(opened("large"), 20, 20)
        assert red > 200
        assert green < 70
        assert blue < 70

    def test_of_sixteen_bits_keeps_its_middle(self, make: Make, engine: str) -> None:
        _answer, opened = make(pictures.grey16(), engine=engine)
        grey = opened("large").convert("L")
        assert near([grey.getpixel((x, 16)) for x in (2, 64, 128, 250)], (2, 64, 128, 250), by=6)

    @pytest.mark.parametrize("form", FORMS)
    def test_follows_the_profile_that_came_with_it(self, make: Make, engine: str, form: str) -> None:
        image = Image.new("RGB", (200, 100), (200, 20, 20))
        content = pictures.saved(image, form, icc_profile=pictures.profile(swapped=True))
        _answer, opened = make(content, engine=engine)
        red, _green, blue = pixel(opened("large"), 20, 20)
        assert blue > 150 > red

    def test_with_a_broken_profile_is_what_it_says(self, make: Make, engine: str) -> None:
        image = Image.new("RGB", (200, 100), (200, 20, 20))
        _answer, opened = make(pictures.saved(image, "PNG", icc_profile=b"no profile" * 40), engine=engine)
        assert near(opened("large").convert("RGB").getpixel((20, 20)), (200, 20, 20))

    @pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
    def test_of_every_mode_that_png_has(self, make: Make, engine: str, mode: str) -> None:
        image = Image.new("L", (64, 48), 255).convert("1") if mode == "1" else Image.new(mode, (64, 48))
        answer, _opened = make(pictures.saved(image, "PNG"), engine=engine)
        assert {one["name"] for one in answer["variants"]} == set(NAMES)


class TestTransparency:
    @pytest.mark.parametrize("form", ["PNG", "WEBP"])
    def test_stays_where_there_is_some(self, make: Make, engine: str, form: str) -> None:
        image = Image.new("RGBA", (800, 600), (0, 0, 255, 255))
        image.paste((255, 0, 0, 0), (0, 0, 400, 600))
        _answer, opened = make(pictures.saved(image, form, lossless=True), engine=engine)
        for name in ("large", "small"):
            found = opened(name)
            width, height = found.size
            assert pixel(found, 10, height // 2, "RGBA")[3] == 0
            assert pixel(found, width - 10, height // 2, "RGBA")[3] == 255
            # The red that nobody sees does not bleed into what they do see.
            assert near(pixel(found, width // 2 + 6, height // 2), (0, 0, 255), by=24)

    def test_of_a_colour_in_a_palette_stays(self, make: Make, engine: str) -> None:
        image = Image.new("P", (64, 64), 0)
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.paste(1, (32, 0, 64, 64))
        _answer, opened = make(pictures.saved(image, "PNG", transparency=0), engine=engine)
        assert pixel(opened("large"), 4, 30, "RGBA")[3] == 0

    def test_that_is_none_is_left_out(self, make: Make, engine: str, tmp_path: Path) -> None:
        image = Image.new("RGBA", (200, 100), (0, 0, 255, 255))
        _answer, opened = make(pictures.saved(image, "PNG"), engine=engine)
        assert opened("large").mode == "RGB"

    def test_is_white_from_afar(self, make: Make, engine: str) -> None:
        answer, _opened = make(pictures.saved(Image.new("RGBA", (64, 64)), "PNG"), engine=engine)
        assert answer["colour"] == "#ffffff"


class TestVariants:
    def test_are_of_the_widths_of_the_plan(self, make: Make, engine: str) -> None:
        answer, _opened = make(pictures.saved(pictures.photo(2400, 1200), "JPEG"), engine=engine)
        assert {one["name"]: (one["width"], one["height"]) for one in answer["variants"]} == {
            "large": (1600, 800),
            "medium": (800, 400),
            "small": (400, 200),
            "thumb": (256, 256),
        }

    def test_are_never_enlarged_and_share_a_file(self, make: Make, engine: str) -> None:
        answer, _opened = make(pictures.jpeg(500, 200), engine=engine)
        found = {one["name"]: (one["width"], one["height"], one["file"]) for one in answer["variants"]}
        assert found["large"] == found["medium"] == (500, 200, "large.webp")
        assert found["small"] == (400, 160, "small.webp")
        assert found["thumb"] == (200, 200, "thumb.webp")

    def test_of_what_is_tall_are_bounded_by_its_height(self, make: Make, engine: str) -> None:
        answer, _opened = make(pictures.jpeg(1000, 6000), engine=engine)
        assert {(one["name"], one["width"], one["height"]) for one in answer["variants"]} >= {
            ("large", 533, 3200),
            ("small", 133, 800),
        }

    def test_thumb_is_the_middle(self, make: Make, engine: str) -> None:
        image = Image.new("RGB", (900, 300), RED)
        image.paste(BLUE, (310, 0, 590, 300))
        _answer, opened = make(pictures.saved(image, "PNG"), engine=engine)
        assert near(opened("thumb").getpixel((128, 128)), BLUE)
        assert near(opened("thumb").getpixel((20, 128)), BLUE)

    def test_are_avif_too_only_where_that_is_smaller(
        self, make: Make, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = pictures.saved(pictures.photo(1700, 900), "JPEG")
        answer, opened = make(content, engine=engine, avif=True)
        avif = {one["name"]: one["file"] for one in answer["variants"] if one["media_type"] == AVIF}
        assert avif
        assert set(avif) <= {"large", "medium"}
        for name, file in avif.items():
            webp = (tmp_path / f"{name}.webp").stat().st_size
            assert (tmp_path / file).stat().st_size <= 0.9 * webp
            assert opened(name, AVIF).size == opened(name).size
        monkeypatch.setattr("documents.imaging.work.AVIF_SAVES", 0.99)
        answer, _opened = make(content, engine=engine, avif=True)
        assert {one["media_type"] for one in answer["variants"]} == {WEBP}

    def test_look_like_the_picture(self, make: Make, engine: str) -> None:
        image = pictures.photo(1200, 900)
        answer, opened = make(pictures.saved(image, "PNG"), engine=engine)
        wanted = image.resize((400, 300), Image.Resampling.LANCZOS)
        found = opened("small").convert("RGB")
        apart = [abs(one - other) for one, other in zip(found.tobytes(), wanted.tobytes(), strict=True)]
        assert sum(apart) / len(apart) < 6
        mean = wanted.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        said = tuple(int(answer["colour"][at : at + 2], 16) for at in (1, 3, 5))
        assert near(said, mean)  # type: ignore[arg-type]  # of an RGB picture it is a tuple


class TestTakenIn:
    def test_the_first_of_several_pictures_in_a_phones_jpeg(self, make: Make, engine: str) -> None:
        answer, _opened = make(pictures.mpo(), engine=engine)
        assert (answer["media_type"], answer["width"]) == ("image/jpeg", 120)

    def test_every_format_of_a_phone(self, make: Make, engine: str) -> None:
        for form in ("JPEG", "PNG", "WEBP", "AVIF"):
            answer, _opened = make(pictures.saved(pictures.corners(), form), engine=engine)
            assert answer["media_type"] == f"image/{form.lower()}"

    def test_by_its_bytes_and_not_by_its_name(self, make: Make, engine: str, tmp_path: Path) -> None:
        source = tmp_path / "statement.pdf"
        source.write_bytes(pictures.jpeg())
        assert work.make(str(source), str(tmp_path), engine=engine)["media_type"] == "image/jpeg"


class TestPlan:
    @pytest.mark.parametrize(
        "size", [(16, 16), (17, 200), (200, 17), (1599, 1601), (20_000, 2_000), (399, 12)]
    )
    def test_never_enlarges_and_always_has_a_pixel(self, size: tuple[int, int]) -> None:
        for one in plan.variants_of(size):
            assert 1 <= one.size[0] <= size[0]
            assert 1 <= one.size[1] <= size[1]
