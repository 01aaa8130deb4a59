"""The world of the contract's tests: the cast, and one of everything that belongs to the owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import Device, Member, Notification, OneTimePassword, PrivacyNotice, Relation, User
from accounts.policies.codes import derive_code
from accounts.services import epoch
from accounts.services.devices import DeviceFacts, remember_untrusted, token_hash
from accounts.services.grants import give_grant
from accounts.services.identities import forget_identities
from accounts.services.notifications import notify
from accounts.services.one_time_passwords import Challenge, Purpose, issue_challenge
from accounts.services.privacy import ask_for_deletion
from accounts.services.roles import ROLES
from accounts.services.sessions import revoke_session
from accounts.services.tokens import Tokens, make_tokens
from bcc.core.actors import Actor
from chat.models import Attachment, Connection, Conversation, Desk, Message, SocketProcess
from chat.services.moderation import block
from chat.services.opening import open_group
from documents.models import Document, Image, ImagePurpose, ImageVariant
from documents.services.assets import keep_bytes
from documents.services.images import set_photo
from facilities.models import Announcement, ClubRule, Contact, Content, Event, Facility, Faq, Outlet, Promo
from reservations.models import Reservation
from reservations.services import create_reservation
from reservations.services.booking import Wish
from tests.chat.talk import allow, at_desk, identity_of, make_attachment, make_desk, say, willing
from tests.conftest import at_club
from tests.documents import pictures
from tests.documents.papers import make_account, make_statement, read_by_staff
from tests.factories import MemberFactory, UserFactory, make_facility, make_image, make_session

PASSWORD: Final = "correct horse battery staple"
DEVICE_TOKEN: Final = "a-device-token-of-the-tests"
MEMBERS: Final = ("owner", "spouse", "dependent", "stranger")
STAFF: Final = tuple(ROLES)
# The columns of the access table.
EVERYBODY: Final = ("anonymous", "dead", *MEMBERS, *STAFF)

CONTENT: Final[dict[str, tuple[type[Content], dict[str, Any]]]] = {
    "announcements": (Announcement, {}),
    "events": (Event, {"starts_at": at_club(5, 9), "ends_at": at_club(5, 12)}),
    "contacts": (Contact, {"department": "Member services"}),
    "faqs": (Faq, {}),
    "rules": (ClubRule, {}),
    "outlets": (Outlet, {}),
    "promos": (Promo, {}),
}


@dataclass
class World:
    """Whatever is not said to be another's belongs to the owner; ids are public ones."""

    now: datetime
    clients: dict[str, APIClient]
    owner: Member
    court: Facility
    confirmed: Reservation
    held: Reservation
    ready: Reservation
    device: Device
    notification: Notification
    content: dict[str, Content]
    tokens: Tokens
    photo: Image
    challenge: Challenge
    code: str
    thread: Conversation
    said: Message
    group: Conversation
    answer: Message
    blocked: User
    connection: Connection
    desk: Desk
    attachment: Attachment
    grants: dict[Purpose, str]
    notice: PrivacyNotice
    statement: Document


def build_world(now: datetime) -> World:
    """Everything that the calls of ``tests.api.calls`` name, made by the house's own services."""
    cast, staff = _cast(), _staff()
    User.objects.update(password=make_password(PASSWORD))
    owner, user = cast["owner"], cast["owner"].user
    assert user is not None
    clients = {"anonymous": _client(None, now), "dead": _client(user, now)}
    assert revoke_session(public_id=user.sessions.get().public_id, now=now)
    clients |= {name: _client(one.user, now) for name, one in cast.items()}
    clients |= {name: _client(one, now) for name, one in staff.items()}
    court = make_facility("Court One", terms={"max_slots": 3, "check_in_from_minutes": 240})
    hall = make_facility("Held Hall", kind="hall", terms={"hold_minutes": 10, "max_slots": 3})
    challenge = _challenge(user, now)
    statement = make_statement(owner.membership, "2026-05", now=now, due="4380.50")
    make_account(owner.membership, "2026-05", now=now)
    read_by_staff(statement, staff["Finance Approver"], now=now)
    desk = make_desk()
    thread = at_desk(desk, owner, now)
    said = _said(thread, owner, "Of the owner.", now)
    friend = MemberFactory.create(last_name="Friend")
    allow(allows_groups=True)
    willing(owner, friend)
    group = open_group(title="Golfers", members=[friend.member_no], by=identity_of(owner), now=now)
    answer = _said(group, friend, "Of a friend.", now)
    assert friend.user is not None
    block(user=friend.user.public_id, by=identity_of(owner), now=now)
    foe = MemberFactory.create(last_name="Foe")
    willing(foe)
    open_group(title="Others", members=[foe.member_no], by=identity_of(owner), now=now)
    assert foe.user is not None
    process = SocketProcess.objects.create(name="world", started_at=now, seen_at=now)
    return World(
        now=now,
        clients=clients,
        owner=owner,
        court=court,
        confirmed=_book(owner, court, at_club(2, 10), now, party=3),
        held=_book(owner, hall, at_club(2, 10), now),
        ready=_book(owner, court, at_club(1, 10), now),
        device=Device.objects.create(
            user=user,
            platform="ios",
            name="Old phone",
            token_hash=token_hash(DEVICE_TOKEN),
            trusted_at=now,
            last_seen_at=now,
        ),
        notification=_notification(user, now),
        content={
            name: model._default_manager.create(
                title=f"Test {name}", state="published", audience="public", **more
            )
            for name, (model, more) in CONTENT.items()
        },
        tokens=make_tokens(user=user, session=make_session(user, now=now), now=now),
        photo=_photo(owner, now),
        challenge=challenge,
        code=_code_of(challenge.challenge),
        thread=thread,
        said=said,
        group=group,
        answer=answer,
        blocked=friend.user,
        connection=Connection.objects.create(
            process=process, user=foe.user, session=uuid4(), connected_at=now, last_active_at=now
        ),
        desk=desk,
        attachment=make_attachment(said, now),
        grants={
            Purpose.ACTIVATION: _grant(UserFactory.create(display_name="Test Newcomer"), "activation", now),
            Purpose.RESET: _grant(user, "reset", now),
        },
        notice=_privacy(cast, now),
        statement=statement,
    )


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside has not happened after it, in the database and in memory."""
    forget_everything()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    forget_everything()


def forget_everything() -> None:
    """What this process keeps between requests."""
    cache.clear()
    epoch.forget()
    forget_identities()


def _cast() -> dict[str, Member]:
    owner = MemberFactory.create(first_name="Test", last_name="Owner")
    household = {"membership": owner.membership}
    return {
        "owner": owner,
        "spouse": MemberFactory.create(relation=Relation.SPOUSE, last_name="Spouse", **household),
        "dependent": MemberFactory.create(relation=Relation.DEPENDENT, last_name="Dependent", **household),
        "stranger": MemberFactory.create(last_name="Stranger"),
    }


def _staff() -> dict[str, User]:
    staff = {name: UserFactory.create(is_staff=True, display_name=f"Test {name}") for name in STAFF}
    for name, user in staff.items():
        user.groups.add(Group.objects.get(name=name))
    return staff


def _client(user: User | None, now: datetime) -> APIClient:
    """A client signed in as ``user``; a defect is a 500 as in production, not an exception in the test."""
    client = APIClient(raise_request_exception=False)
    if user is not None:
        tokens = make_tokens(user=user, session=make_session(user, now=now), now=now)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    return client


def _book(member: Member, facility: Facility, at: datetime, now: datetime, *, party: int = 1) -> Reservation:
    return create_reservation(
        wish=Wish(facility.public_id, at, at + timedelta(hours=1), party=party),
        member_id=member.pk,
        membership_id=member.membership_id,
        by=Actor("member", member.full_name, member.user_id, member.pk),
        now=now,
    )


def _photo(member: Member, now: datetime) -> Image:
    """The owner's, which the household and staff see."""
    assert member.user_id is not None
    image = make_image(purpose=ImagePurpose.MEMBER_PHOTO, uploaded_by=member.user)
    # As a child makes it of what was sent; here its bytes are our own.
    made = keep_bytes(pictures.saved(pictures.corners(64, 64), "WEBP"), media_type="image/webp", now=now)
    ImageVariant.objects.create(
        image=image, name="small", media_type="image/webp", asset=made, width=64, height=64
    )
    set_photo(member_id=member.pk, by_user_id=member.user_id, image_id=image.public_id, now=now)
    return image


def _challenge(user: User, now: datetime) -> Challenge:
    device = remember_untrusted(user=user, facts=DeviceFacts(name="New phone"), now=now)
    return issue_challenge(user=user, purpose=Purpose.DEVICE, device=device, now=now)


def _privacy(cast: dict[str, Member], now: datetime) -> PrivacyNotice:
    """A notice in force, and a request to be forgotten of each member."""
    for member in cast.values():
        ask_for_deletion(member_id=member.pk, reason="", now=now)
    return PrivacyNotice.objects.create(version="test-1", title="Test", text="Test.", published_at=now)


def _grant(user: User, purpose: str, now: datetime) -> str:
    return give_grant(user=user, purpose=Purpose(purpose), now=now).grant


def _code_of(challenge: UUID) -> str:
    """The code as the sender derives it; no row holds one."""
    row = OneTimePassword.objects.get(challenge=challenge)
    return derive_code(key=settings.OTP_KEY, purpose=row.purpose, challenge=challenge, nonce=row.nonce)


def _said(conversation: Conversation, member: Member, body: str, now: datetime) -> Message:
    say(conversation, member, body, now=now)
    return Message.objects.filter(conversation=conversation).latest("seq")


def _notification(user: User, now: datetime) -> Notification:
    notify(user_id=user.pk, kind="password_changed", context={"at": "now"}, dedupe="world", now=now)
    return Notification.objects.filter(user=user, channel="in_app").latest("pk")
