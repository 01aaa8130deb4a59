"""The errors that services raise, and nothing of how they are shown.

Each class stands for one kind of refusal and carries the HTTP status that the
API contract gives it, so that the one handler in ``bcc.core.rest.problems``
needs no list of exceptions. ``code`` is stable and part of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

type_text = str | Promise


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """One rule of the club that a request did not meet.

    ``limit`` and ``current`` are in the unit of the rule (bookings, minutes, guests);
    ``retry_at`` is the first instant at which this rule alone would let the request pass.
    """

    code: str
    detail: str
    limit: int | None = None
    current: int | None = None
    retry_at: datetime | None = None


class DomainError(Exception):
    """Something the domain refuses. Shown as problem+json with ``status`` and ``code``."""

    status: ClassVar[int] = 400
    code: str = "invalid"
    title: ClassVar[type_text] = _("The request was refused.")
    default_detail: type_text = _("The request was refused.")

    def __init__(self, detail: type_text | None = None, *, code: str | None = None, **extra: Any) -> None:
        self.detail: type_text = detail if detail is not None else self.default_detail
        if code is not None:
            self.code = code
        self.extra: dict[str, Any] = extra
        super().__init__(str(self.detail))


class InvalidError(DomainError):
    """A field is no value. ``errors`` maps a field to (code, detail) pairs."""

    status = 400
    code = "invalid"
    title = _("The request is malformed.")
    default_detail = _("One or more fields have no valid value. Correct them and send it again.")

    def __init__(
        self,
        detail: type_text | None = None,
        *,
        code: str | None = None,
        errors: Mapping[str, Sequence[tuple[str, type_text]]] | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.errors = {field: list(pairs) for field, pairs in (errors or {}).items()}


class NotAuthenticatedError(DomainError):
    status = 401
    code = "not_authenticated"
    title = _("Sign in first.")
    default_detail = _("The credentials are missing or no longer valid. Sign in again.")


class NotAllowedError(DomainError):
    status = 403
    code = "not_allowed"
    title = _("Not allowed.")
    default_detail = _("You may not do this. Ask the club if you think you should.")


class NotFoundError(DomainError):
    status = 404
    code = "not_found"
    title = _("Not found.")
    default_detail = _("There is no such thing here.")


class ConflictError(DomainError):
    status = 409
    code = "conflict"
    title = _("Somebody was faster.")
    default_detail = _("The request conflicts with the current state. Read it again and retry.")


class StaleVersionError(ConflictError):
    code = "stale_version"
    default_detail = _("It has changed in the meantime. Read it again and retry.")


class WrongStateError(ConflictError):
    code = "wrong_state"
    title = _("Not possible in this state.")
    default_detail = _("This is not possible in its present state. Read it again.")


class PreconditionFailedError(DomainError):
    status = 412
    code = "precondition_failed"
    title = _("It has changed.")
    default_detail = _("It has changed since you read it. Read it again before you change it.")


class Ruled:
    """What a refusal carries that rules made: each that failed, and what would pass instead."""

    rules: list[RuleFailure]
    alternatives: list[dict[str, Any]]


class RuleError(Ruled, DomainError):
    """One or more rules of the club refused it; ``rules`` names every one that failed."""

    status = 422
    code = "rules_not_met"
    title = _("The club's rules do not allow it.")
    default_detail = _("The club's rules do not allow it. See the rules that were not met.")

    def __init__(
        self,
        rules: Sequence[RuleFailure] = (),
        *,
        detail: type_text | None = None,
        alternatives: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.rules = list(rules)
        self.alternatives = [dict(alternative) for alternative in alternatives]


class LimitedError(DomainError):
    status = 429
    code = "too_many_requests"
    title = _("Too many requests.")
    default_detail = _("Too many requests. Wait and try again.")

    def __init__(self, detail: type_text | None = None, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = max(1, retry_after)


class BusyError(DomainError):
    status = 503
    code = "busy"
    title = _("Busy.")
    default_detail = _("The service is busy. Try again in a moment.")

    def __init__(self, detail: type_text | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
