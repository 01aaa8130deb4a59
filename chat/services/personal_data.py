"""What the chat keeps of one member: given out on request, and made nobody's.

A message's place stays, since others answered it and the numbers of a conversation have no hole; its text
goes, as when its sender deletes it. A report keeps its snapshot until the retention rules end it: it is
evidence of somebody else's complaint.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Member
from accounts.services.personal_data import register_part
from chat.models import Attachment, Block, ChatProfile, HeldMessage, Message, MessageReport
from chat.services.change import blank
from documents.models import Image, ImagePurpose
from documents.services.images import delete_image


def register_personal_data() -> None:
    register_part("chat_messages", export=_messages, anonymise=_anonymise)
    register_part("chat_reports", export=_reports)


def _messages(member: Member) -> list[dict[str, Any]]:
    """What they wrote, where, and with how many pictures; nothing that others wrote."""
    if member.user_id is None:
        return []
    rows = Message.objects.filter(sender=member.user_id, type=Message.Type.TEXT).order_by("pk")
    wanted = rows.values(
        "conversation__public_id",
        "conversation__kind",
        "seq",
        "body",
        "created_at",
        "edited_at",
        "deleted_at",
    )
    return [dict(row) for row in wanted]


def _reports(member: Member) -> list[dict[str, Any]]:
    if member.user_id is None:
        return []
    rows = MessageReport.objects.filter(reporter=member.user_id).order_by("pk")
    return [dict(row) for row in rows.values("reason", "note", "state", "created_at")]


def _anonymise(member: Member, now: datetime) -> None:
    if member.user_id is None:
        return
    written = Message.objects.filter(sender=member.user_id, type=Message.Type.TEXT)
    Attachment.objects.filter(message__in=written.values("pk")).delete()
    for message in (
        written.filter(deleted_at__isnull=True).select_related("conversation__desk").order_by("pk")
    ):
        blank(message, now=now)
    for image in Image.objects.filter(uploaded_by=member.user_id, purpose=ImagePurpose.CHAT).order_by("pk"):
        delete_image(image=image)
    HeldMessage.objects.filter(sender=member.user_id).update(body="", found="")
    MessageReport.objects.filter(reporter=member.user_id).update(note="")
    Block.objects.filter(blocker=member.user_id).delete()
    ChatProfile.objects.filter(user=member.user_id).delete()
