"""Signed links, for viewers that cannot send a header.

Two kinds. One of at most a minute the proxy checks alone: nothing is asked here, and nothing can
call it back. A longer one is checked here at each use and is bound to the document, the session and
the user's token version: it is dead at once when the session ends, the password changes, or the user
or the household is suspended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Standing
from accounts.policies.identity import Identity
from accounts.selectors.identities import find_standing
from bcc.core import clock, transactions
from bcc.core.errors import NotAllowedError, NotAuthenticatedError
from documents.models import AccessKind, Document
from documents.policies.links import LONGEST, LONGEST_BY_PROXY, proxy_link
from documents.services.assets import local_path
from documents.services.naming import download_name
from documents.services.reading import note_access

MAX_TOKEN: Final = 512
_SALT: Final = "documents.services.links"

CheckedBy = Literal["proxy", "application"]


class LinkInvalidError(NotAuthenticatedError):
    code = "link_invalid"
    default_detail = _("This link is not valid. Ask for a new one in the app.")


class LinkExpiredError(NotAuthenticatedError):
    code = "link_expired"
    default_detail = _("This link is over. Ask for a new one in the app.")


class MembershipSuspendedError(NotAllowedError):
    code = "membership_suspended"
    default_detail = _("The membership is suspended, so no links are given. Open the document in the app.")


@dataclass(frozen=True, slots=True)
class Link:
    """``path`` begins at the root of the host; ``expires_at`` is a whole second."""

    path: str
    expires_at: datetime
    checked_by: CheckedBy


@transactions.writes
def make_link(
    *, document: Document, identity: Identity, lifetime: timedelta, content_path: str, now: datetime
) -> Link:
    """A link to the bytes of ``document`` for who may read it; leaves a row in the access log.

    ``content_path`` is where the application serves them. Raises MembershipSuspendedError, and
    LinkInvalidError when the session ended meanwhile.
    """
    if document.membership.standing == Standing.SUSPENDED:
        raise MembershipSuspendedError
    expires = int((now + min(lifetime, LONGEST)).timestamp())
    expires_at = datetime.fromtimestamp(expires, UTC)
    note_access(
        document_id=document.pk,
        user_id=identity.user_id,
        is_staff=identity.is_staff,
        kind=AccessKind.LINK,
        now=now,
    )
    if lifetime <= LONGEST_BY_PROXY and (path := _for_proxy(document, expires)) is not None:
        return Link(path, expires_at, "proxy")
    standing = find_standing(identity.session_id)
    if standing is None:
        raise LinkInvalidError
    token = _signer().sign_object(
        [document.public_id.hex, identity.session_id.hex, standing.token_version, expires], compress=False
    )
    return Link(f"{content_path}?link={token}", expires_at, "application")


def open_link(*, token: str, public_id: UUID, now: datetime) -> Identity:
    """Whose link ``token`` is, if it is one to this document and still alive. One query, two in all.

    Raises LinkInvalidError for an edited or foreign one, LinkExpiredError for one that is over: by
    its time, or because the session, the user or the household no longer stands.
    """
    try:
        document, session, version, expires = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LinkInvalidError from error
    if document != public_id.hex:
        raise LinkInvalidError
    if expires <= now.timestamp():
        raise LinkExpiredError
    standing = find_standing(UUID(session))
    if (
        standing is None
        or not standing.identity.is_active
        or standing.ended_at is not None
        or standing.expires_at <= now
        or standing.token_version != version
        or standing.identity.membership_id is None
        or _is_suspended(standing.identity.membership_id)
    ):
        raise LinkExpiredError
    return standing.identity


def _is_suspended(membership_id: int) -> bool:
    return Membership.objects.filter(pk=membership_id, standing=Standing.SUSPENDED).exists()


def _for_proxy(document: Document, expires: int) -> str | None:
    if not (settings.FILES_BY_PROXY and settings.FILES_LINK_KEY) or local_path(document.asset) is None:
        return None
    return proxy_link(
        key=document.asset.key,
        media_type=document.asset.media_type,
        name=download_name(document),
        # nginx goes by the machine's time, wherever that of a demo club stands.
        expires=expires - int(clock.moved_by().total_seconds()),
        secret=settings.FILES_LINK_KEY,
    )


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT)
