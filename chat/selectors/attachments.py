"""Pictures of messages: which may be sent, and which are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from chat.fanout.frames import Attached
from chat.models import Attachment
from documents.models import Image, ImagePurpose, ImageVariant


def sendable(images: Collection[UUID], user_id: int) -> dict[UUID, ImageVariant]:
    """The largest served form of those of ``images`` that the user uploaded for a chat, by id."""
    rows = Image.objects.filter(public_id__in=list(images), purpose=ImagePurpose.CHAT, uploaded_by=user_id)
    found: dict[UUID, ImageVariant] = {}
    variants = ImageVariant.objects.filter(image__in=rows).select_related("image", "asset")
    for one in variants.order_by("width", "pk"):
        found[one.image.public_id] = one
    return found


def attached_to(message_ids: Iterable[int]) -> dict[int, list[Attached]]:
    """What is shown of each message's pictures, by its key, in one query."""
    found: dict[int, list[Attached]] = defaultdict(list)
    rows = Attachment.objects.filter(message__in=list(message_ids), message__deleted_at__isnull=True)
    for one in rows.select_related("asset").order_by("message_id", "position"):
        found[one.message_id].append(
            {
                "id": str(one.public_id),
                "name": one.name,
                "type": one.asset.media_type,
                "size": one.asset.size,
                "url": f"/api/v1/chat/attachments/{one.public_id}",
            }
        )
    return found


def find_attachment(public_id: UUID) -> Attachment | None:
    """One of a message that stands."""
    rows = Attachment.objects.select_related("asset", "message__conversation")
    return rows.filter(public_id=public_id, message__deleted_at__isnull=True).first()
