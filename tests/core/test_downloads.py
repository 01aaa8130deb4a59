from __future__ import annotations

from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcc.core.downloads import MAX_NAME, content_disposition, safe_name


def read(header: str) -> str | None:
    """The name as a client of RFC 6266 reads it."""
    message = Message()
    message["Content-Disposition"] = header
    return message.get_filename()


class TestSafeName:
    @pytest.mark.parametrize(
        ("given_name", "made"),
        [
            ("SOA_2026-10_T-00001.pdf", "SOA_2026-10_T-00001.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.pdf", "C__temp_a.pdf"),
            ('a"b;c.pdf', "a_b_c.pdf"),
            ("one\r\nX-Injected: yes.pdf", "one X-Injected_ yes.pdf"),
            ("invoice\u202efdp.exe", "invoicefdp.exe"),
            ("half \ud800 pair.pdf", "half pair.pdf"),
            ("...", "file"),
            ("", "file"),
        ],
    )
    def test_is_a_name_and_nothing_else(self, given_name: str, made: str) -> None:
        assert safe_name(given_name) == made

    def test_keeps_the_type_of_a_long_one(self) -> None:
        made = safe_name("x" * 400 + ".pdf")
        assert (len(made), made[-4:]) == (MAX_NAME, ".pdf")

    def test_composes_what_some_systems_take_apart(self) -> None:
        assert safe_name("Pen\u0303a.pdf") == "Peña.pdf"


class TestContentDisposition:
    def test_is_plain_for_plain_names(self) -> None:
        assert content_disposition("a b.pdf") == 'attachment; filename="a b.pdf"'
        assert content_disposition("a.pdf", inline=True) == 'inline; filename="a.pdf"'

    @pytest.mark.parametrize(
        ("name", "plain"),
        [
            ("Estado Peña.pdf", "Estado Pena.pdf"),
            ("ใบแจ้งยอด.pdf", "________.pdf"),
            ("對帳單 2026.pdf", "___ 2026.pdf"),
            ("كشف حساب.pdf", "___ ____.pdf"),
            ("🏌️.pdf", "__.pdf"),
        ],
    )
    def test_says_the_true_name_of_any_script_and_one_for_old_clients(self, name: str, plain: str) -> None:
        header = content_disposition(name)
        assert f'filename="{plain}"' in header
        assert header.isascii()
        assert read(header.replace(f'filename="{plain}"; ', "")) == name

    @given(st.text(max_size=300))
    def test_is_one_line_whatever_the_name(self, name: str) -> None:
        header = content_disposition(name)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2
        assert read(header)
