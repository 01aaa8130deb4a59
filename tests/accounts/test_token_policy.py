from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.policies.tokens import Claims, TokenError, TokenExpiredError, TokenSigner, TokenType

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD_KEY, NEW_KEY = "an old key of more than thirty-two bytes", "a new key of more than thirty-two bytes"
SIGNER = TokenSigner({"1": OLD_KEY})
CLAIMS = Claims(uuid4(), uuid4(), 3, TokenType.ACCESS, NOW + timedelta(minutes=10))
REFRESH = replace(CLAIMS, type=TokenType.REFRESH, jti=uuid4())


def part(token: str, index: int) -> dict[str, object]:
    text = token.split(".")[index]
    read: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return read


class TestSignAndRead:
    def test_says_what_was_signed(self) -> None:
        assert SIGNER.read(SIGNER.sign(CLAIMS, now=NOW), type=TokenType.ACCESS, now=NOW) == CLAIMS
        assert SIGNER.read(SIGNER.sign(REFRESH, now=NOW), type=TokenType.REFRESH, now=NOW) == REFRESH

    def test_names_its_key(self) -> None:
        assert part(SIGNER.sign(CLAIMS, now=NOW), 0) == {"alg": "HS256", "kid": "1", "typ": "JWT"}

    def test_holds_no_more_than_the_contract_says(self) -> None:
        assert set(part(SIGNER.sign(CLAIMS, now=NOW), 1)) == {"sub", "sid", "tv", "typ", "iat", "exp"}

    def test_is_dead_at_the_instant_it_expires(self) -> None:
        token = SIGNER.sign(CLAIMS, now=NOW)
        SIGNER.read(token, type=TokenType.ACCESS, now=CLAIMS.expires_at - timedelta(seconds=1))
        with pytest.raises(TokenExpiredError):
            SIGNER.read(token, type=TokenType.ACCESS, now=CLAIMS.expires_at)

    @pytest.mark.parametrize("year", [2020, 2026, 2090])
    def test_goes_by_the_clock_it_is_given_and_not_by_the_machines(self, year: int) -> None:
        at = datetime(year, 1, 1, tzinfo=UTC)
        token = SIGNER.sign(replace(CLAIMS, expires_at=at + timedelta(minutes=10)), now=at)
        assert SIGNER.read(token, type=TokenType.ACCESS, now=at).user == CLAIMS.user

    def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(self) -> None:
        with pytest.raises(TokenError):
            SIGNER.read(SIGNER.sign(REFRESH, now=NOW), type=TokenType.ACCESS, now=NOW)
        with pytest.raises(TokenError):
            SIGNER.read(SIGNER.sign(CLAIMS, now=NOW), type=TokenType.REFRESH, now=NOW)


class TestKeys:
    def test_an_old_key_is_accepted_while_it_is_listed_and_the_first_signs(self) -> None:
        old = SIGNER.sign(CLAIMS, now=NOW)
        both = TokenSigner({"2": NEW_KEY, "1": OLD_KEY})
        assert both.read(old, type=TokenType.ACCESS, now=NOW) == CLAIMS
        assert part(both.sign(CLAIMS, now=NOW), 0)["kid"] == "2"
        with pytest.raises(TokenError):
            TokenSigner({"2": NEW_KEY}).read(old, type=TokenType.ACCESS, now=NOW)

    def test_a_key_under_the_name_of_another_opens_nothing(self) -> None:
        forged = TokenSigner({"1": NEW_KEY}).sign(CLAIMS, now=NOW)
        with pytest.raises(TokenError):
            SIGNER.read(forged, type=TokenType.ACCESS, now=NOW)

    def test_a_token_without_key_id_is_refused(self) -> None:
        bare = jwt.encode(part(SIGNER.sign(CLAIMS, now=NOW), 1), OLD_KEY, "HS256")
        with pytest.raises(TokenError):
            SIGNER.read(bare, type=TokenType.ACCESS, now=NOW)

    def test_an_unsigned_token_is_refused(self) -> None:
        unsigned = jwt.encode(part(SIGNER.sign(CLAIMS, now=NOW), 1), "", "none", headers={"kid": "1"})
        with pytest.raises(TokenError):
            SIGNER.read(unsigned, type=TokenType.ACCESS, now=NOW)


class TestIssuedAt:
    def test_a_token_of_a_minute_ahead_is_another_servers_clock_and_no_more(self) -> None:
        near = SIGNER.sign(CLAIMS, now=NOW + timedelta(seconds=60))
        far = SIGNER.sign(CLAIMS, now=NOW + timedelta(seconds=61))
        assert SIGNER.read(near, type=TokenType.ACCESS, now=NOW) == CLAIMS
        with pytest.raises(TokenError):
            SIGNER.read(far, type=TokenType.ACCESS, now=NOW)


class TestForgeries:
    @pytest.mark.parametrize(
        "change",
        [
            {"sub": "nobody"}, {"sub": None}, {"sid": 5}, {"tv": "x"}, {"typ": "admin"},
            {"exp": "soon"}, {"exp": 10**30}, {"exp": None}, {"exp": -(10**30)},
            {"iat": None}, {"iat": "now"}, {"iat": 10**30},
        ],
    )  # fmt: skip
    def test_a_signed_token_that_makes_no_sense_is_refused(self, change: dict[str, object]) -> None:
        payload = part(SIGNER.sign(CLAIMS, now=NOW), 1) | change
        token = jwt.encode(payload, OLD_KEY, "HS256", headers={"kid": "1"})
        with pytest.raises(TokenError):
            SIGNER.read(token, type=TokenType.ACCESS, now=NOW)

    def test_a_refresh_token_without_jti_is_refused(self) -> None:
        payload = part(SIGNER.sign(replace(CLAIMS, type=TokenType.REFRESH), now=NOW), 1)
        token = jwt.encode(payload, OLD_KEY, "HS256", headers={"kid": "1"})
        with pytest.raises(TokenError):
            SIGNER.read(token, type=TokenType.REFRESH, now=NOW)

    @given(st.text())
    def test_any_text_is_refused_and_never_fails(self, text: str) -> None:
        with pytest.raises(TokenError):
            SIGNER.read(text, type=TokenType.ACCESS, now=NOW)

    def test_a_very_long_text_is_not_even_looked_at(self) -> None:
        with pytest.raises(TokenError):
            SIGNER.read("a" * 5000, type=TokenType.ACCESS, now=NOW)
