"""What may stand in a message."""

from __future__ import annotations

import pytest

from chat.policies.words import cleaned, found_phrases, has_link, is_printable


class TestCleaned:
    def test_keeps_lines_and_drops_what_is_around(self) -> None:
        assert cleaned("  a\r\nb\rc \n") == "a\nb\nc"


class TestIsPrintable:
    @pytest.mark.parametrize("body", ["a\nb\tc", "Maraming salamat po 🏌️", "عربى"])
    def test_takes_what_people_write(self, body: str) -> None:
        assert is_printable(body)

    @pytest.mark.parametrize("body", ["a\0b", "a\x1b[31m", "a\u2028b", "\x7f", "\ud800"])
    def test_refuses_what_cannot_be_shown(self, body: str) -> None:
        assert not is_printable(body)


class TestHasLink:
    @pytest.mark.parametrize(
        "body", ["see https://x.example", "WWW.x.example", "go to my-shop.com now", "http://10.0.0.1/a"]
    )
    def test_finds_one(self, body: str) -> None:
        assert has_link(body)

    @pytest.mark.parametrize("body", ["At 7.30 a.m.", "Court 1.Thanks", "a@b", "www", "http is a word"])
    def test_passes_plain_words(self, body: str) -> None:
        assert not has_link(body)


class TestFoundPhrases:
    def test_finds_whole_words_in_any_case_width_and_spacing(self) -> None:
        assert found_phrases("That is  BAD\n Word, ｆｏｏ!", ["bad word", "foo", "other"]) == [
            "bad word",
            "foo",
        ]

    def test_leaves_parts_of_words(self) -> None:
        assert found_phrases("The classic assessment", ["ass"]) == []

    def test_takes_signs_as_they_are(self) -> None:
        assert found_phrases("costs $$$ (much)", ["$$$", "(much)"]) == ["$$$", "(much)"]
