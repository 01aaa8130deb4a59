from __future__ import annotations

from documents.imaging.blurhash import encode

# What the reference encoder of the format's makers says of the same pixels.
RAMP = bytes(
    value for y in range(12) for x in range(16) for value in (240 - x * 16, 220 - y * 20, (x * y) % 256)
)


class TestEncode:
    def test_is_what_the_reference_makes_of_it(self) -> None:
        assert encode(RAMP, width=16, height=12) == "L%GuTh|?,Z$iuDs:o0kAgwfifQfj"
        assert encode(RAMP, width=16, height=12, across=3, down=4) == "T%GuTh|?,ZuDs:o0gwfifQthsmo1"

    def test_of_one_component_is_the_mean(self) -> None:
        assert encode(b"\xff\0\0" * 16, width=4, height=4, across=1, down=1) == "00TI:j"
