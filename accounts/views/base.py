from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.views import APIView

from accounts.policies.identity import Identity
from bcc.core.rest.fields import StrictSerializer, validated_body
from bcc.core.rest.views import StrictQueryMixin


class OpenView(StrictQueryMixin, APIView):
    """For somebody who is not signed in; a token that is sent along is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def body(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """The validated body."""
        return validated_body(self.request, serializer)


class SignedInView(StrictQueryMixin, APIView):
    """For members and staff; ``request.user`` is their Identity."""

    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated,)

    @property
    def identity(self) -> Identity:
        return cast(Identity, self.request.user)

    def body(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """The validated body."""
        return validated_body(self.request, serializer)
