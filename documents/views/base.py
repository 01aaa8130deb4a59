from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.permissions import IsMember
from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle
from bcc.core.errors import NotAllowedError
from documents.models import Document
from documents.selectors.reading import find_document
from documents.services.naming import download_names


class HouseholdView(SignedInView):
    """For members; what is not theirs to see is not there."""

    permission_classes = (IsMember,)
    throttle_classes = (ReadThrottle,)

    @property
    def member_id(self) -> int:
        """Raises NotAllowedError for staff, whom the permission has refused already."""
        if self.identity.member_id is None:
            raise NotAllowedError
        return self.identity.member_id

    def get_document(self, public_id: UUID) -> Document:
        """A published one of the household that the caller may see. Raises NotFoundError."""
        return find_document(self.member_id, public_id)


def named(documents: Sequence[Document]) -> dict[str, Any]:
    """The context of the serializers that show what documents are called."""
    return {"names": download_names(documents)}
