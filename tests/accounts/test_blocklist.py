from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.policies.blocklist import BlocklistValidator

VALIDATOR = BlocklistValidator(words=("Test Hills Country Club",))


class TestBlocklistValidator:
    @pytest.mark.parametrize(
        "password",
        [
            "password123", "P@ssw0rd!", "G0lf2026!", "Mahalkita1", "golf golf golf", "golfgolf", "qwertyuiop",
            "1234567890", "abcdefghijk", "aaaaaaaa", "12121212", "Hills2026", "００００００００",
            "TestHillsCountryClub", "iloveyou", "¡Manila!99",
        ],
    )  # fmt: skip
    def test_refuses_what_is_well_known_in_any_spelling(self, password: str) -> None:
        with pytest.raises(ValidationError) as caught:
            VALIDATOR.validate(password)
        assert caught.value.code == "password_too_common"

    @pytest.mark.parametrize(
        "password",
        [
            "correct horse battery staple", "a phrase that nobody else uses", "golf widow saxophone",
            "mX7#qpL2vR", "ang kalabaw sa ilog", "пароль который никто", "x" * 3 + "yz" * 4 + "Q!7",
        ],
    )  # fmt: skip
    def test_takes_what_is_not(self, password: str) -> None:
        VALIDATOR.validate(password)

    def test_says_so_in_words(self) -> None:
        assert "well-known" in VALIDATOR.get_help_text()
