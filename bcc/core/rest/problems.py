"""Refusals and failures as RFC 9457 ``application/problem+json``.

``problem_of`` says what an exception means to a client; ``exception_handler`` answers for DRF,
and ``bad_request`` … ``server_error`` are Django's own handlers, so that what fails before a view
is reached speaks the same language. Outside ``/api/`` Django's pages stay.

``type`` is ``/problems/<code>``: a stable name relative to the host, not a page that is served.
``code`` repeats its last segment for clients that switch on it. Every 404 is the same, whatever
was asked for, so that another's row looks like one that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.core import exceptions as django_exceptions
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request

from bcc.core.errors import (
    BusyError,
    DomainError,
    InvalidError,
    LimitedError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    Ruled,
)
from bcc.core.rest.renderers import JSONBytesResponse, dump_bytes
from bcc.core.rest.requestids import request_id_of
from bcc.core.transactions import LOST_RETRY_SECONDS, is_lost, is_transient

PROBLEM_JSON: Final = "application/problem+json"
CHALLENGE: Final = "Bearer"
GENERAL_FIELD: Final = "non_field_errors"

type_text = str | Promise
FieldErrors = dict[str, list[tuple[str, type_text]]]


class TooLargeError(DomainError):
    """The body is larger than the API reads."""

    status = 413
    code = "body_too_large"
    title = _("The body is too large.")
    default_detail = _("The body is larger than is accepted here. Send less.")


class UnsupportedTypeError(DomainError):
    status = 415
    code = "unsupported_media_type"
    title = _("Not a content type for this.")
    default_detail = _("This content type is not accepted here. Send JSON as application/json.")


class MethodNotAllowedError(DomainError):
    status = 405
    code = "method_not_allowed"
    title = _("Not a method of this address.")
    default_detail = _("This address does not take that method. See the Allow header for those it takes.")


class NotAcceptableError(DomainError):
    status = 406
    code = "not_acceptable"
    title = _("Not available in that form.")
    default_detail = _("None of the types in the Accept header can be given. Ask for application/json.")


class BadRequestError(DomainError):
    """Malformed below the level of fields: a wrong host, a broken upload, too many fields."""

    code = "bad_request"
    title = _("The request is malformed.")
    default_detail = _("The request cannot be read. Correct it and send it again.")


class InternalError(DomainError):
    """A defect. Says nothing of what went wrong; the log has it under the request id."""

    status = 500
    code = "internal_error"
    title = _("Something went wrong.")
    default_detail = _("Something went wrong on our side. Try again, and tell the club if it happens again.")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is sent, before it is bytes. ``extra`` become members of their own."""

    status: int
    code: str
    title: type_text
    detail: type_text
    errors: FieldErrors = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    alternatives: list[dict[str, Any]] = field(default_factory=list)
    retry_after: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def members(self, request_id: str) -> dict[str, Any]:
        """The JSON object, in a fixed order; what does not apply is left out."""
        members: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": str(self.title),
            "status": self.status,
            "detail": str(self.detail),
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            members["errors"] = {
                name: [{"code": code, "detail": str(detail)} for code, detail in pairs]
                for name, pairs in self.errors.items()
            }
        if self.rules:
            members["rules"] = self.rules
        if self.alternatives:
            members["alternatives"] = self.alternatives
        if self.retry_after is not None:
            members["retry_after"] = self.retry_after
        return members | {name: value for name, value in self.extra.items() if name not in members}


def problem_of(error: BaseException) -> Problem | None:
    """What ``error`` means to a client, or None if it is a defect."""
    match error:
        case DomainError():
            return _domain_problem(error)
        case exceptions.APIException():
            return _rest_problem(error)
        case Http404():
            return _domain_problem(NotFoundError())
        case django_exceptions.PermissionDenied():
            return _domain_problem(NotAllowedError())
        case django_exceptions.ValidationError():
            return _domain_problem(InvalidError(errors=_model_errors(error)))
        case django_exceptions.RequestDataTooBig():
            return _domain_problem(TooLargeError())
        case (
            django_exceptions.SuspiciousOperation()
            | django_exceptions.BadRequest()
            | MultiPartParserError()
            | UnreadablePostError()
        ):
            return _domain_problem(BadRequestError())
        case DatabaseError() if is_transient(error):
            return _domain_problem(BusyError())
        case DatabaseError() | InterfaceError() if is_lost(error):
            return _domain_problem(BusyError(retry_after=LOST_RETRY_SECONDS))
    return None


def _domain_problem(error: DomainError) -> Problem:
    if isinstance(error, NotFoundError):
        error = NotFoundError()
    extra = dict(error.extra)
    problem = Problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        alternatives=list(extra.pop("alternatives", ())),
        retry_after=extra.pop("retry_after", None),
        extra=extra,
    )
    match error:
        case InvalidError():
            return replace(problem, errors=error.errors)
        case Ruled():
            rules = [
                {
                    "code": rule.code,
                    "detail": str(rule.detail),
                    "limit": rule.limit,
                    "current": rule.current,
                    "retry_at": rule.retry_at,
                }
                for rule in error.rules
            ]
            return replace(problem, rules=rules, alternatives=error.alternatives)
        case LimitedError() | BusyError():
            return replace(problem, retry_after=max(1, error.retry_after))
    return problem


# DRF's exceptions by the domain errors that say the same, so that one code means one thing.
_SAME_AS: Final[tuple[tuple[type[exceptions.APIException], type[DomainError]], ...]] = (
    (exceptions.NotAuthenticated, NotAuthenticatedError),
    (exceptions.AuthenticationFailed, NotAuthenticatedError),
    (exceptions.PermissionDenied, NotAllowedError),
    (exceptions.NotFound, NotFoundError),
    (exceptions.MethodNotAllowed, MethodNotAllowedError),
    (exceptions.NotAcceptable, NotAcceptableError),
    (exceptions.UnsupportedMediaType, UnsupportedTypeError),
    (exceptions.ParseError, BadRequestError),
)
# Codes of DRF that the domain error's own code replaces; any other was chosen by someone.
_STOCK_CODES: Final = frozenset(
    {
        "not_authenticated",
        "authentication_failed",
        "permission_denied",
        "not_found",
        "method_not_allowed",
        "not_acceptable",
        "unsupported_media_type",
        "parse_error",
        "error",
    }
)


def _rest_problem(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return _domain_problem(InvalidError(errors=flattened(error.detail)))
    if isinstance(error, exceptions.Throttled):
        return _domain_problem(LimitedError(retry_after=math.ceil(getattr(error, "wait", None) or 1)))
    detail, code = _said(error)
    for rest_class, domain_class in _SAME_AS:
        if isinstance(error, rest_class):
            if code in _STOCK_CODES:
                stock = detail == str(rest_class.default_detail) or rest_class in _SPOKEN_BY_DRF
                return _domain_problem(domain_class(None if stock else detail))
            return _domain_problem(domain_class(detail, code=code))
    return Problem(status=error.status_code, code=code, title=BadRequestError.title, detail=detail)


# Their texts name the method, media type or parser position in DRF's words; ours say what to do.
_SPOKEN_BY_DRF: Final = frozenset(
    {exceptions.MethodNotAllowed, exceptions.UnsupportedMediaType, exceptions.ParseError}
)


def _said(error: exceptions.APIException) -> tuple[str, str]:
    """The text and code of an exception that is not about fields."""
    detail: Any = error.detail
    code: str | None = None
    if isinstance(detail, Mapping):
        # simplejwt's: {"detail": …, "code": …, "messages": […]}
        code = str(detail["code"]) if "code" in detail else None
        detail = detail.get("detail", error.default_detail)
    while isinstance(detail, Sequence) and not isinstance(detail, str):
        detail = detail[0] if detail else error.default_detail
    return str(detail), code or getattr(detail, "code", None) or error.default_code


def flattened(detail: Any, path: str = "") -> FieldErrors:
    """DRF's nested errors as dotted paths: ``participants.0.name`` → [(code, detail)].

    What concerns an object as a whole stands under the object's own path, and under
    ``non_field_errors`` for the body itself.
    """
    if isinstance(detail, Mapping):
        found: FieldErrors = {}
        for name, inner in detail.items():
            inner_path = path if path and name == GENERAL_FIELD else f"{path}.{name}" if path else str(name)
            _merge(found, flattened(inner, inner_path))
        return found
    if isinstance(detail, list | tuple):
        found = {}
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            _merge(
                found,
                flattened(inner, f"{path}.{index}" if nested and path else str(index) if nested else path),
            )
        return found
    return {path or GENERAL_FIELD: [(getattr(detail, "code", None) or "invalid", str(detail))]}


def _merge(into: FieldErrors, other: FieldErrors) -> None:
    for name, pairs in other.items():
        into.setdefault(name, []).extend(pairs)


def _model_errors(error: django_exceptions.ValidationError) -> FieldErrors:
    by_field = error.error_dict if hasattr(error, "error_dict") else {GENERAL_FIELD: error.error_list}
    return {
        GENERAL_FIELD if name == django_exceptions.NON_FIELD_ERRORS else name: [
            (one.code or "invalid", " ".join(one.messages)) for one in errors
        ]
        for name, errors in by_field.items()
    }


class ProblemResponse(JSONBytesResponse):
    """problem+json, whatever the client said it accepts."""

    def __init__(self, problem: Problem, *, request_id: str) -> None:
        body = dump_bytes(problem.members(request_id))
        super().__init__(body, status=problem.status, content_type=PROBLEM_JSON)
        if problem.retry_after is not None:
            self["Retry-After"] = str(problem.retry_after)
        if problem.status == 401:
            self["WWW-Authenticate"] = CHALLENGE


def problem_response(request: HttpRequest | Request, error: DomainError) -> ProblemResponse:
    """The response to ``error``, for code that answers outside a DRF view (middleware, handlers)."""
    return ProblemResponse(_domain_problem(error), request_id=request_id_of(request))


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's ``EXCEPTION_HANDLER``. None for a defect, which Django then logs and answers."""
    problem = problem_of(error)
    if problem is None:
        return None
    return ProblemResponse(problem, request_id=request_id_of(context["request"]))


def speaks_problem(request: HttpRequest) -> bool:
    """Whether a failure of ``request`` is told as problem+json rather than as a page."""
    if request.path_info.startswith("/api/"):
        return True
    accept = request.headers.get("Accept", "")
    return ("application/json" in accept or PROBLEM_JSON in accept) and "text/html" not in accept


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    if not speaks_problem(request):
        return defaults.bad_request(request, exception)
    problem = problem_of(exception) or _domain_problem(BadRequestError())
    return ProblemResponse(problem, request_id=request_id_of(request))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    if not speaks_problem(request):
        return defaults.permission_denied(request, exception)
    return problem_response(request, NotAllowedError())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    if not speaks_problem(request):
        return defaults.page_not_found(request, exception)
    return problem_response(request, NotFoundError())


def server_error(request: HttpRequest) -> HttpResponse:
    """``handler500``. Never says what went wrong."""
    if not speaks_problem(request):
        return defaults.server_error(request)
    return problem_response(request, InternalError())
