from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.policies.ranges import ByteRange, UnsatisfiableRangeError, asked_range

TAG = '"abc"'


def asked(header: str | None, *, if_range: str | None = None, size: int = 1000) -> ByteRange | None:
    return asked_range(header, if_range=if_range, etag=TAG, size=size)


class TestAskedRange:
    @pytest.mark.parametrize(
        ("header", "first", "last"),
        [
            ("bytes=0-0", 0, 0),
            ("bytes=0-999", 0, 999),
            ("bytes=10-", 10, 999),
            ("bytes=990-5000", 990, 999),
            ("bytes=-10", 990, 999),
            ("bytes=-5000", 0, 999),
            ("BYTES= 5-6 ", 5, 6),
            ("bytes=5-" + "9" * 400, 5, 999),
            ("bytes=000005-0006", 5, 6),
        ],
    )
    def test_reads_one_range(self, header: str, first: int, last: int) -> None:
        assert asked(header) == ByteRange(first, last, 1000)

    @pytest.mark.parametrize(
        "header",
        [
            None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,5-6", "lines=1-2",
            "bytes=1 -2", "bytes=-1-2", "bytes=１-２", "bytes=0x1-2",
        ],
    )  # fmt: skip
    def test_gives_all_for_what_is_no_single_range(self, header: str | None) -> None:
        assert asked(header) is None

    @pytest.mark.parametrize(
        "header", ["bytes=1000-", "bytes=1000-1000", "bytes=-0", "bytes=" + "9" * 400 + "-"]
    )
    def test_refuses_what_is_beyond_the_end(self, header: str) -> None:
        with pytest.raises(UnsatisfiableRangeError):
            asked(header)

    @pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1"])
    def test_an_empty_file_has_no_range(self, header: str) -> None:
        with pytest.raises(UnsatisfiableRangeError):
            asked(header, size=0)

    @pytest.mark.parametrize("stale", ['"other"', 'W/"abc"', "Mon, 01 Jun 2026 00:00:00 GMT", "", "*"])
    def test_gives_all_when_the_client_holds_another_version(self, stale: str) -> None:
        assert asked("bytes=5-6", if_range=stale) is None
        assert asked("bytes=5000-", if_range=stale) is None

    def test_gives_the_part_when_it_holds_this_one(self) -> None:
        assert asked("bytes=5-6", if_range=TAG) == ByteRange(5, 6, 1000)

    @given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 50))
    def test_never_leaves_the_file(self, header: str, size: int) -> None:
        try:
            part = asked(header, size=size)
        except UnsatisfiableRangeError:
            return
        assert part is None or 0 <= part.first <= part.last < size
