"""How often somebody may send and fetch pictures."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from bcc.core.rest.throttles import AddressThrottle, UserThrottle


class ImageUploadThrottle(UserThrottle):
    """Each costs a second of a processor."""

    scope = "image_upload"


class ImageReadThrottle(AddressThrottle):
    """By user, or by address for who is not signed in. Wide: a page of the app shows many."""

    scope = "image_reads"

    def key(self, request: Request, view: APIView) -> str | None:
        public_id = getattr(request.user, "public_id", None)
        return super().key(request, view) if public_id is None else str(public_id)
