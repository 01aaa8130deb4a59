"""uvicorn's WebSocket protocol, which shows itself to the application: the seam for raw writes.

``--ws chat.fanout.protocol:ClubProtocol``. Under another server the application finds nothing in its scope
and uses the ASGI send.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from chat.fanout.wires import EXTENSION

# What the kernel keeps for a client that reads slowly; beyond it the wire's own limit counts.
KERNEL_BUFFER: Final = 64 * 1024
INVALID_DATA: Final = 1007


class ClubProtocol(WebSocketsSansIOProtocol):
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is None:
            return  # refused; there is no application
        scope["extensions"][EXTENSION] = self
        with suppress(OSError):
            _bound_kernel_buffer(self.transport.get_extra_info("socket"))

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                # uvicorn closes as well, but logs a trace of what any client can send.
                self.frames = []
                self.conn.send_close(INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()


def _bound_kernel_buffer(there: Any) -> None:
    """uvloop's socket is a stand-in that sets nothing: it is set on a copy of the descriptor."""
    copy = socket.socket(fileno=socket.dup(there.fileno()))
    try:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
    finally:
        copy.close()
