"""People who talk in the tests, and what they say."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import Permission

from accounts.models import Member, User
from accounts.policies.identity import Identity
from chat.models import Attachment, ChatProfile, ChatSettings, Conversation, Desk, DeskSpan, Message
from chat.services.opening import open_desk, open_direct
from chat.services.rules import forget_rules
from chat.services.send import Outgoing, Sent, send_message
from documents.models import Image, ImageVariant
from documents.services.assets import keep_bytes
from tests.factories import UserFactory


def identity_of(who: Member | User, *permissions: str) -> Identity:
    """Who they are to a service, with what their groups give and ``permissions`` besides."""
    user = who if isinstance(who, User) else who.user
    assert user is not None
    member: Any = who if isinstance(who, Member) else None
    return Identity(
        user_id=user.pk,
        public_id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        is_staff=user.is_staff,
        is_active=True,
        session_id=uuid4(),
        member_id=None if member is None else member.pk,
        member_public_id=None if member is None else member.public_id,
        membership_id=None if member is None else member.membership_id,
        permissions=frozenset(permissions) | frozenset(user.get_all_permissions()),
    )


def make_desk(name: str = "Front Desk", *, is_always_open: bool = True, **values: Any) -> Desk:
    desk = Desk.objects.create(code=name.lower().replace(" ", "-"), name=name, **values)
    if is_always_open:
        for weekday in range(7):
            DeskSpan.objects.create(desk=desk, weekday=weekday, opens=time(0), closes=time(23, 59, 59))
    return desk


def make_clerk(name: str = "Test Clerk", *permissions: str) -> User:
    """A member of staff who answers at the desks."""
    user = UserFactory.create(is_staff=True, display_name=name)
    for code in ("serve_desks", *permissions):
        user.user_permissions.add(Permission.objects.get(content_type__app_label="chat", codename=code))
    found: User = User.objects.get(pk=user.pk)
    return found


def at_desk(desk: Desk, member: Member, now: datetime) -> Conversation:
    return open_desk(desk=desk.public_id, by=identity_of(member), now=now)


def make_image(user: User, now: datetime, *, alt: str = "A green", purpose: str = "chat") -> Image:
    """A picture that ``user`` uploaded, with its one served form; the bytes stand for a picture."""
    original = keep_bytes(f"original {alt} {user.pk}".encode(), media_type="image/jpeg", now=now)
    image, is_new = Image.objects.get_or_create(
        once=f"{original.pk}-{purpose}",
        defaults={
            "original": original, "purpose": purpose, "uploaded_by": user, "alt": alt, "width": 640,
            "height": 480, "created_at": now,
        },
    )  # fmt: skip
    if not is_new:
        return image
    served = keep_bytes(f"served {alt} {user.pk}".encode(), media_type="image/webp", now=now)
    ImageVariant.objects.create(
        image=image, name="large", media_type="image/webp", asset=served, width=640, height=480
    )
    return image


def make_attachment(message: Message, now: datetime) -> Attachment:
    image = make_image(message.sender, now)
    asset = image.variants.get().asset
    return Attachment.objects.create(message=message, image=image, asset=asset, name=image.alt)


def allow(**values: Any) -> ChatSettings:
    """Switch on what the club has off."""
    row, _made = ChatSettings.objects.update_or_create(pk=1, defaults=values)
    forget_rules()
    return row


def willing(*members: Member) -> None:
    for one in members:
        ChatProfile.objects.update_or_create(
            user=one.user, defaults={"accepts_direct": True, "accepts_groups": True}
        )


def direct(one: Member, other: Member, now: datetime) -> Conversation:
    allow(allows_direct=True)
    willing(one, other)
    return open_direct(member_no=other.member_no, by=identity_of(one), now=now)


def say(
    conversation: Conversation,
    who: Member | User | Identity,
    body: str = "Hello.",
    *,
    now: datetime,
    client_id: UUID | None = None,
    **more: Any,
) -> Sent:
    sender = who if isinstance(who, Identity) else identity_of(who)
    return send_message(
        ask=Outgoing(
            sender=sender,
            conversation=conversation.public_id,
            client_id=client_id or uuid4(),
            body=body,
            **more,
        ),
        now=now,
    )
