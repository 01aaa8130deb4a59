from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory

from bcc.core.addresses import client_address, known_address


class TestClientAddress:
    @pytest.mark.parametrize(
        ("hops", "forwarded", "address"),
        [
            (0, None, "198.51.100.9"),
            (0, "192.0.2.1", "198.51.100.9"),
            (1, "192.0.2.1", "192.0.2.1"),
            (1, "203.0.113.5, 192.0.2.1", "192.0.2.1"),
            (2, "203.0.113.5, 192.0.2.1", "203.0.113.5"),
            (2, "evil, 203.0.113.5 ,192.0.2.1", "203.0.113.5"),
            (2, "192.0.2.1", "198.51.100.9"),
            (1, None, "198.51.100.9"),
            (1, "", "198.51.100.9"),
            (1, "evil", "198.51.100.9"),
            (1, "unknown, ", "198.51.100.9"),
            (1, "192.0.2.1:4711", "192.0.2.1"),
            (1, "[2001:db8::1]:4711", "2001:db8::1"),
            (1, "2001:DB8::1", "2001:db8::1"),
            (1, "::ffff:192.0.2.1", "192.0.2.1"),
            (1, "fe80::1%eth0", "fe80::1"),
        ],
    )
    def test_believes_only_the_trusted_hop(
        self, settings: Any, hops: int, forwarded: str | None, address: str
    ) -> None:
        settings.TRUSTED_PROXY_HOPS = hops
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="198.51.100.9")
        assert client_address(request) == address

    def test_stands_a_peer_without_an_address(self) -> None:
        request = SimpleNamespace(META={"REMOTE_ADDR": ""})  # what a Unix socket gives
        assert (client_address(request), known_address(request)) == ("unknown", None)
