"""The sockets of the server. The chat consumer comes with the chat itself."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
