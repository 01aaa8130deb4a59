from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.policies.identifiers import email_key, masked, member_number_key, mobile_key, parse_identifier


class TestMemberNumberKey:
    @pytest.mark.parametrize(
        "spelling", ["BCC-0014", "bcc 0014", " bcc0014 ", "B.C.C-00-14", "ＢＣＣ－００１４"]
    )
    def test_every_spelling_has_one_key(self, spelling: str) -> None:
        assert member_number_key(spelling) == "BCC0014"

    def test_of_punctuation_alone_is_empty(self) -> None:
        assert member_number_key(" - / ") == ""

    @given(st.text())
    def test_is_its_own_key(self, text: str) -> None:
        key = member_number_key(text)
        assert member_number_key(key) == key


class TestEmailKey:
    def test_has_no_capitals_and_no_space_around(self) -> None:
        assert email_key(" Demo.Member@Example.COM ") == "demo.member@example.com"

    @pytest.mark.parametrize("text", ["", "demo", "@example.com", "demo@", "de mo@example.com"])
    def test_is_empty_for_what_is_no_address(self, text: str) -> None:
        assert email_key(text) == ""


class TestMobileKey:
    @pytest.mark.parametrize(
        "spelling",
        [
            "09171234567",
            "9171234567",
            "639171234567",
            "+63 917 123 4567",
            "(0917) 123-4567",
            "０９１７１２３４５６７",
        ],
    )
    def test_every_spelling_has_one_key(self, spelling: str) -> None:
        assert mobile_key(spelling, "PH") == "+639171234567"

    def test_a_foreign_mobile_keeps_its_country(self) -> None:
        assert mobile_key("+44 7911 123456", "PH") == "+447911123456"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "BCC",
            "12",
            "(02) 8123 4567",
            "0917-123-4567 ext. 5",
            "+63 917 123 4567;ext=5",
            "+999 123456789",
        ],
    )
    def test_is_empty_for_landlines_extensions_and_what_is_no_number(self, text: str) -> None:
        assert mobile_key(text, "PH") == ""

    @given(st.text(max_size=60))
    def test_never_fails(self, text: str) -> None:
        key = mobile_key(text, "PH")
        assert key == "" or key.startswith("+")


class TestParseIdentifier:
    def test_a_member_number_is_looked_for_as_typed_and_as_normalised(self) -> None:
        found = parse_identifier("Front-Desk 1", "PH")
        assert found.usernames == ("front-desk 1", "frontdesk1")
        assert found.email == ""
        assert found.mobile == ""

    @pytest.mark.parametrize(
        ("one", "other"),
        [("A-1", " a1"), ("0917 123 4567", "+639171234567"), ("Demo@Example.com", " demo@example.COM ")],
    )
    def test_the_spellings_of_one_person_are_counted_together(self, one: str, other: str) -> None:
        assert parse_identifier(one, "PH").key == parse_identifier(other, "PH").key

    @given(st.text(max_size=300))
    def test_always_has_a_text_to_count_by(self, text: str) -> None:
        assert isinstance(parse_identifier(text, "PH").key, str)


class TestMasked:
    @pytest.mark.parametrize(
        ("destination", "shown"),
        [
            ("demo014@example.com", "d…4@example.com"),
            ("ab@example.com", "a…@example.com"),
            ("+639171234567", "…567"),
        ],
    )
    def test_leaves_enough_to_know_it_and_too_little_to_use_it(self, destination: str, shown: str) -> None:
        assert masked(destination) == shown
