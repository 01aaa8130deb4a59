from __future__ import annotations

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from bcc.asgi import websocket_application
from bcc.core.origins import ClubOriginValidator


async def accept_all(scope: object, receive: object, send: object) -> None:
    await receive()  # type: ignore[operator]  # an ASGI callable
    await send({"type": "websocket.accept"})  # type: ignore[operator]  # an ASGI callable


async def is_let_in(*origins: str) -> bool:
    headers = [(b"origin", origin.encode("latin1")) for origin in origins]
    communicator = WebsocketCommunicator(ClubOriginValidator(accept_all), "/ws/v1", headers=headers)
    connected, _ = await communicator.connect()
    return bool(connected)


class TestClubOriginValidator:
    async def test_lets_a_native_app_in_which_has_no_origin(self) -> None:
        assert await is_let_in()

    @pytest.mark.parametrize("origin", ["http://localhost:8000", "https://localhost", "http://127.0.0.1:81"])
    async def test_lets_the_clubs_own_pages_in(self, origin: str) -> None:
        assert await is_let_in(origin)

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example.com",
            "https://localhost.evil.example.com",
            "https://evil.example.com/?localhost",
            "null",
            "",
            "localhost",
            "file://",
            "http://[::1",
            "https://localhost.:x@evil.example.com",
        ],
    )
    async def test_keeps_a_foreign_page_out(self, origin: str) -> None:
        assert not await is_let_in(origin)

    async def test_lets_a_page_in_that_the_club_named(self, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
        assert await is_let_in("https://app.example.com")
        assert not await is_let_in("http://app.example.com")
        assert not await is_let_in("https://app.example.com:port")

    async def test_looks_at_every_origin_that_is_sent(self) -> None:
        assert not await is_let_in("https://evil.example.com", "http://localhost")
        assert not await is_let_in("http://localhost", "https://evil.example.com")


class TestWebsocketApplication:
    async def test_refuses_a_path_that_is_no_socket(self) -> None:
        connected, _ = await WebsocketCommunicator(websocket_application, "/ws/nowhere").connect()
        assert not connected
