"""Sockets: any ASGI server. HTTP goes to ``bcc.wsgi``; what of it comes here is served as well."""

import os
from typing import Any, cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.production")

# Before anything that imports models.
http_application = get_asgi_application()

from bcc.core.origins import ClubOriginValidator  # noqa: E402 - needs the settings and apps above
from chat.routing import websocket_urlpatterns  # noqa: E402 - needs the settings and apps above


async def no_such_socket(scope: Any, receive: Any, send: Any) -> Any:
    """Refuse the handshake (a 403); the router alone would raise, and log, for any path that is tried."""
    await receive()
    await send({"type": "websocket.close", "code": 1000})


websocket_application = ClubOriginValidator(
    URLRouter([*websocket_urlpatterns, re_path(r"", cast("Any", no_such_socket))])
)
application = ProtocolTypeRouter({"http": http_application, "websocket": websocket_application})
