"""``Idempotency-Key``: one key, one effect, equal replies.

The key's row is the first thing that the transaction inserts and the reply is stored before it
commits, so a key is there exactly if its effect is. A refusal rolls both back and is judged
afresh. A second request with the key waits in its insert (PostgreSQL, SQL Server) or for the
writer lock (SQLite), fails on the unique constraint, and is answered with what is stored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request

from bcc.core import clock, transactions
from bcc.core.errors import ConflictError, DomainError, InvalidError, NotAuthenticatedError
from bcc.core.models import IdempotencyKey
from bcc.core.prepared import PreparedInsert, PreparedUpdate
from bcc.core.rest.parsers import read_body
from bcc.core.rest.renderers import JSONBytesResponse, dump_bytes

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEPT_FOR: Final = timedelta(hours=24)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_ATTEMPTS: Final = 3

Work = Callable[[], tuple[int, Any]]

_KEYS = PreparedInsert(IdempotencyKey)
_STORE = PreparedUpdate(
    lambda *, pk, status, reply: (
        IdempotencyKey.objects.filter(pk=pk),
        {"status": status, "reply": reply},
    ),
    pk=int,
    status=int,
    reply=bytes,
)


class KeyInFlightError(ConflictError):
    """The first request with this key has not ended."""

    code = "key_in_flight"
    default_detail = gettext_lazy("A request with this key is still under way. Send it again in a moment.")


class KeyReusedError(DomainError):
    """The key was used with another body."""

    status = 422
    code = "key_reused"
    title = gettext_lazy("The key belongs to another request.")
    default_detail = gettext_lazy("This key came with another body. Send the new request under a new key.")


class _KeyTakenError(Exception):
    """The insert of the key's row met another. Not a DatabaseError: the door does not retry it."""


def respond_once(request: Request, route: str, work: Work) -> JSONBytesResponse:
    """Run ``work`` in one transaction and answer with its (status, data); once per key.

    ``route`` is a stable name of at most 120 characters (``"reservations.create"``); ``work`` calls
    services, may be run again after a deadlock, and returns a 2xx status. Without the header it runs
    as usual.

    Raises what ``work`` raises, InvalidError for a malformed key, KeyInFlightError, KeyReusedError,
    NotAuthenticatedError for a caller without an account, BusyError.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return _reply(*transactions.run(lambda: _done(work)))
    if not _KEY.fullmatch(key):
        text = _("A key is 1 to 128 visible ASCII characters. Send a fresh UUID.")
        raise InvalidError(errors={HEADER: [("invalid_key", text)]})
    principal = getattr(request.user, "public_id", None)
    if not isinstance(principal, UUID):
        raise NotAuthenticatedError
    digest = body_sha256(request)
    for _attempt in range(_ATTEMPTS):
        try:
            return _reply(*transactions.run(lambda: _first(principal, route, key, digest, work)))
        except _KeyTakenError:
            stored = IdempotencyKey.objects.filter(principal=principal, route=route, key=key).first()
        if stored is None:
            continue  # it went between our insert and our look: a purge, or the other's rollback
        if stored.created_at <= clock.now() - KEPT_FOR:
            transactions.run(IdempotencyKey.objects.filter(pk=stored.pk).delete)
            continue
        return _stored_reply(stored, digest)
    raise KeyInFlightError


def body_sha256(request: Request) -> str:
    """SHA-256 of the raw body; of the parts of a multipart body, whose boundary is new at each try."""
    if not (request.content_type or "").startswith("multipart/"):
        return hashlib.sha256(read_body(request._request)).hexdigest()
    parts: Any = request.data  # a QueryDict, as the content is multipart
    digest = hashlib.sha256()
    for name in sorted(parts):
        for value in parts.getlist(name):
            # Each hashed by itself: side by side, one part could pass for two.
            digest.update(hashlib.sha256(name.encode()).digest())
            digest.update(_part_sha256(value))
    return digest.hexdigest()


def _part_sha256(value: Any) -> bytes:
    """The hash of a file, left at its beginning, or of a text."""
    if not hasattr(value, "chunks"):
        return hashlib.sha256(str(value).encode()).digest()
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return digest.digest()


def _first(principal: UUID, route: str, key: str, digest: str, work: Work) -> tuple[int, bytes]:
    try:
        pk = _KEYS.one(
            IdempotencyKey(
                principal=principal, route=route, key=key, body_sha256=digest, created_at=clock.now()
            )
        )
    except IntegrityError as error:
        raise _KeyTakenError from error
    status, body = _done(work)
    _STORE.run(pk=pk, status=status, reply=body)
    return status, body


def _done(work: Work) -> tuple[int, bytes]:
    status, data = work()
    if not 200 <= status < 300:
        raise ValueError("A refusal is raised, not returned: what is returned is kept and committed.")
    return status, b"" if data is None else dump_bytes(data)


def _stored_reply(stored: IdempotencyKey, digest: str) -> JSONBytesResponse:
    if stored.body_sha256 != digest:
        raise KeyReusedError
    if not stored.status:
        raise KeyInFlightError
    response = _reply(stored.status, bytes(stored.reply))
    response[REPLAYED] = "true"
    return response


def _reply(status: int, body: bytes) -> JSONBytesResponse:
    return JSONBytesResponse(body, status=status)
