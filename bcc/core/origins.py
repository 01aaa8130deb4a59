"""Who may open a socket: native apps, which send no Origin, and the club's own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings


class ClubOriginValidator(OriginValidator):
    """Channels' check, but a client without an Origin is let in: no browser leaves it out.

    A foreign page cannot leave the header out, so what it protects from, a page that uses its
    visitor's session, stays shut; and a socket proves who it is with a ticket, never a cookie.
    """

    def __init__(self, application: Any) -> None:
        super().__init__(application, [*settings.ALLOWED_HOSTS, *settings.CORS_ALLOWED_ORIGINS])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        origins = [value.decode("latin1") for name, value in scope.get("headers", ()) if name == b"origin"]
        application = self.application if all(map(self.is_ours, origins)) else WebsocketDenier()
        return await application(scope, receive, send)

    def is_ours(self, origin: str) -> bool:
        """Whether ``origin`` is of ALLOWED_HOSTS or CORS_ALLOWED_ORIGINS; one that cannot be read is not."""
        try:
            parsed = urlparse(origin)
            return bool(parsed.scheme and parsed.hostname and self.validate_origin(parsed))
        except ValueError:
            return False
