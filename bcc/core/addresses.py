"""Where a request comes from, by what the proxies of ours say and nobody else."""

from __future__ import annotations

import ipaddress
from typing import Any, Protocol

from django.conf import settings


class Addressed(Protocol):
    """A request of Django's or of DRF's."""

    @property
    def META(self) -> dict[str, Any]: ...  # noqa: N802 - Django's name


def known_address(request: Addressed) -> str | None:
    """The address of the client, as the outermost trusted proxy saw it.

    ``TRUSTED_PROXY_HOPS`` proxies of ours each append to X-Forwarded-For, so the client is that many
    from the right; what stands further left is the client's own claim. A request with fewer entries
    did not come through them all: then it is the peer. None where neither is an address, as behind a
    Unix socket.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    hops: int = settings.TRUSTED_PROXY_HOPS
    claimed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hops else []
    text = claimed[-hops] if 0 < hops <= len(claimed) else peer
    return _address(text) or _address(peer)


def _address(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def client_address(request: Addressed) -> str:
    """The address as a key of limits: ``unknown`` where there is none."""
    return known_address(request) or "unknown"
