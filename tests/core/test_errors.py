from __future__ import annotations

import pytest

from bcc.core import errors

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)
]


def made(kind: type[errors.DomainError]) -> errors.DomainError:
    return kind(retry_after=3) if issubclass(kind, errors.LimitedError) else kind()


class TestDomainError:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_has_a_status_a_code_and_texts_that_end(self, kind: type[errors.DomainError]) -> None:
        error = made(kind)
        assert 400 <= error.status < 600
        assert error.code.replace("_", "").isalpha()
        assert error.code == error.code.lower()
        for text in (error.title, error.detail):
            assert str(text).endswith(".")

    def test_takes_a_code_and_a_text_of_its_own(self) -> None:
        error = errors.ConflictError("The court is taken. Choose another.", code="slot_taken", lane=2)
        assert (error.code, str(error), error.extra) == (
            "slot_taken",
            "The court is taken. Choose another.",
            {"lane": 2},
        )
        assert errors.ConflictError.code == "conflict"


class TestInvalidError:
    def test_keeps_the_fields_and_their_pairs(self) -> None:
        error = errors.InvalidError(errors={"party": (("too_many", "Too many."),)})
        assert error.errors == {"party": [("too_many", "Too many.")]}


class TestRuleError:
    def test_keeps_every_rule_and_alternative(self) -> None:
        rule = errors.RuleFailure("quota", "Two a week.", limit=2, current=2)
        error = errors.RuleError([rule], alternatives=[{"a": 1}])
        assert (error.rules, error.alternatives) == ([rule], [{"a": 1}])
        assert rule.retry_at is None


class TestLimitedError:
    @pytest.mark.parametrize(("asked", "kept"), [(-5, 1), (0, 1), (1, 1), (60, 60)])
    def test_never_asks_to_wait_less_than_a_second(self, asked: int, kept: int) -> None:
        assert errors.LimitedError(retry_after=asked).retry_after == kept
