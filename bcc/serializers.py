"""What the composition root's own routes answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from bcc.core.rest.fields import AwareDateTimeField


class TimeSerializer(serializers.Serializer[Any]):
    """The club's time."""

    server_time = AwareDateTimeField(help_text="Now, in UTC.")
    local_time = serializers.CharField(help_text="Now at the club, ISO 8601 with the offset.")
    time_zone = serializers.CharField(help_text="The club's zone, by its IANA name.")
