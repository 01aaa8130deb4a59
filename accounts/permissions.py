"""Who may call a route."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class IsMember(BasePermission):
    """A signed-in member of the club; staff who are no member are refused."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_authenticated and getattr(request.user, "member_id", None) is not None)
