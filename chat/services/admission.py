"""Who may open a socket: whoever brings a ticket that the API just gave, or an access token.

A ticket stands in a URL, which proxies log: it is good for one socket and half a minute, and the cache
keeps its hash. Processes that share a cache share the tickets.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts.policies.identity import Identity
from accounts.selectors.identities import live_sessions
from accounts.services.identities import identify, identify_browser, identify_session
from bcc.core.errors import BusyError, NotAllowedError, NotAuthenticatedError
from chat.selectors.rooms import suspended

TICKET_LIFETIME: Final = timedelta(seconds=30)
TICKET_BYTES: Final = 32
# Longer than any ticket of ours; nothing is hashed that cannot be one.
MOST_CHARACTERS: Final = 64

log = structlog.get_logger(__name__)


class TicketInvalidError(NotAuthenticatedError):
    code = "ticket_invalid"
    default_detail = _("This ticket is used, too old, or none. Get a new one and connect again.")


class SuspendedError(NotAllowedError):
    code = "suspended"
    default_detail = _("Your membership is suspended. Call the club.")


@dataclass(frozen=True, slots=True)
class Ticket:
    """``text`` is shown once; ``expires_at`` is an instant."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose socket it is, and of which session.

    ``browser`` is the key of a session of the back office, where the socket hangs on that.
    """

    user: UUID
    session: UUID
    browser: str = ""


def issue_ticket(*, identity: Identity, now: datetime) -> Ticket:
    """A ticket for one socket of this session. Raises BusyError while the cache is away."""
    return _issue({"user": identity.public_id.hex, "session": identity.session_id.hex}, now)


def issue_browser_ticket(*, user: UUID, key: str, now: datetime) -> Ticket:
    """The same for a page of the back office, whose session has ``key``; each page has its own socket."""
    return _issue({"user": user.hex, "session": uuid4().hex, "browser": key}, now)


def _issue(claim: dict[str, str], now: datetime) -> Ticket:
    text = secrets.token_urlsafe(TICKET_BYTES)
    try:
        cache.set(_key(text), claim, TICKET_LIFETIME.total_seconds())
    except (RedisError, OSError) as error:
        log.warning("socket_ticket_not_issued", reason=type(error).__name__)
        raise BusyError from error
    return Ticket(text, now + TICKET_LIFETIME)


def admit_ticket(*, ticket: str, now: datetime) -> Admission:
    """Use ``ticket`` up. Raises TicketInvalidError, and BusyError while the cache is away."""
    if not ticket.isascii() or len(ticket) > MOST_CHARACTERS:
        raise TicketInvalidError
    key = _key(ticket)
    try:
        claim = cache.get(key)
        # Of two who read it, one deletes it: that one is admitted.
        if claim is None or not cache.delete(key):
            raise TicketInvalidError
    except (RedisError, OSError) as error:
        log.warning("socket_ticket_not_read", reason=type(error).__name__)
        raise BusyError from error
    return Admission(UUID(claim["user"]), UUID(claim["session"]), claim.get("browser", ""))


def admit_token(*, token: str, now: datetime) -> Admission:
    """For the first frame of a socket. Raises NotAuthenticatedError as the API does."""
    identity = identify(token=token, now=now)
    return Admission(identity.public_id, identity.session_id)


def confirm(*, admission: Admission, now: datetime) -> Identity:
    """Look at the session's row itself: who it is. Raises SessionEndedError and SuspendedError.

    To be called once the socket hears of the session's end: what ended before is seen here, and
    what ends later is heard.
    """
    if admission.browser:
        identity = identify_browser(key=admission.browser, session=admission.session)
    else:
        identity = identify_session(session=admission.session, now=now)
    if identity.public_id != admission.user:
        raise TicketInvalidError
    if identity.member_id is not None and suspended([identity.user_id]):
        raise SuspendedError
    return identity


def in_doubt(*, admissions: Collection[Admission], now: datetime) -> set[UUID]:
    """The sessions of ``admissions`` for which ``confirm`` must say whether they stand: those that are over,
    for the push that said so may have been lost, and each of a browser, of whose end nobody tells."""
    own = {one.session for one in admissions if not one.browser}
    browsers = {one.session for one in admissions if one.browser}
    return (own - live_sessions(own, now)) | browsers


def _key(text: str) -> str:
    return f"chat.ticket.{hashlib.sha256(text.encode()).hexdigest()}"
