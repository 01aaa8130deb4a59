"""The sockets of the server."""

from __future__ import annotations

from django.urls import URLPattern, path

from chat.consumers import ClubSocket

websocket_urlpatterns: list[URLPattern] = [path("ws/v1", ClubSocket.as_asgi())]
