from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from accounts.policies.codes import derive_code, new_nonce, same_code

CHALLENGE = UUID("00000000-0000-4000-8000-000000000001")


class TestDeriveCode:
    @given(key=st.text(min_size=1), nonce=st.text())
    def test_is_always_six_digits(self, key: str, nonce: str) -> None:
        code = derive_code(key=key, purpose="device", challenge=CHALLENGE, nonce=nonce)
        assert len(code) == 6
        assert code.isascii()
        assert code.isdigit()

    def test_is_the_same_when_sent_and_when_checked(self) -> None:
        facts = {"key": "k", "purpose": "device", "challenge": CHALLENGE, "nonce": "n"}
        assert derive_code(**facts) == derive_code(**facts)  # type: ignore[arg-type]  # one dict of all four

    def test_changes_with_each_part(self) -> None:
        base = derive_code(key="k", purpose="device", challenge=CHALLENGE, nonce="n")
        others = [
            derive_code(key="other", purpose="device", challenge=CHALLENGE, nonce="n"),
            derive_code(key="k", purpose="reset", challenge=CHALLENGE, nonce="n"),
            derive_code(key="k", purpose="device", challenge=UUID(int=2), nonce="n"),
            derive_code(key="k", purpose="device", challenge=CHALLENGE, nonce="m"),
        ]
        assert base not in others

    def test_spreads_over_the_whole_range(self) -> None:
        codes = [derive_code(key="k", purpose="p", challenge=uuid4(), nonce=new_nonce()) for _ in range(2000)]
        first_digits = {code[0] for code in codes}
        assert first_digits == set("0123456789")
        assert len(set(codes)) > 1950

    def test_the_parts_do_not_run_into_each_other(self) -> None:
        one = derive_code(key="k", purpose="a", challenge=CHALLENGE, nonce="bc")
        other = derive_code(key="k", purpose="ab", challenge=CHALLENGE, nonce="c")
        assert one != other


class TestSameCode:
    def test_takes_what_people_type_between_the_digits(self) -> None:
        assert same_code(" 123 456 ", "123456")
        assert same_code("123-456", "123456")

    @given(st.text())
    def test_refuses_anything_else_without_failing(self, typed: str) -> None:
        assert same_code(typed, "not digits at all, never typed") in {True, False}

    def test_refuses_another_code(self) -> None:
        assert not same_code("123457", "123456")
        assert not same_code("", "123456")
        assert not same_code("１２３４５６", "123456")


class TestNewNonce:
    def test_is_never_the_same(self) -> None:
        assert len({new_nonce() for _ in range(100)}) == 100
        assert len(new_nonce()) == 32
