"""The ticket that opens a socket."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from bcc.core.rest.fields import AwareDateTimeField


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A ticket",
            {
                "ticket": "m1rvZ0cJH8zQ0tZ8QmE3Yw2mB2qX9bXxJm0cW1r7a5E",
                "expires_at": "2026-11-25T04:30:30Z",
            },
            response_only=True,
        )
    ]
)
class SocketTicketSerializer(serializers.Serializer[Any]):
    """Connect to `/ws/v1?ticket=…` with it, once, before it expires."""

    ticket = serializers.CharField(source="text")
    expires_at = AwareDateTimeField()
