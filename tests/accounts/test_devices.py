from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Device, Member, Session, User
from accounts.services.devices import (
    DeviceFacts,
    find_trusted,
    remember_untrusted,
    revoke_device,
    token_hash,
    trust,
    update_current,
)
from accounts.services.identities import SessionEndedError, identify
from accounts.services.sessions import open_session
from accounts.services.tokens import Tokens
from bcc.core.errors import NotFoundError
from tests.accounts.conftest import PHONE


@pytest.fixture
def tokens(user: User, trusted: Device, now: datetime) -> Tokens:
    return open_session(user=user, device=trusted, now=now)


class TestTrust:
    def test_keeps_the_hash_and_never_the_token(self, user: User, now: datetime) -> None:
        device = remember_untrusted(user=user, facts=PHONE, now=now)
        token = trust(device=device, now=now)
        device.refresh_from_db()
        assert device.token_hash == token_hash(token)
        assert token not in str(Device.objects.values().get())
        assert find_trusted(user=user, device_token=token) == device

    def test_is_of_one_user(self, user: User, stranger: Member, now: datetime) -> None:
        assert stranger.user is not None
        token = trust(device=remember_untrusted(user=user, facts=PHONE, now=now), now=now)
        assert find_trusted(user=stranger.user, device_token=token) is None
        assert find_trusted(user=user, device_token="") is None


class TestUpdateCurrent:
    def test_keeps_what_the_app_says_now(self, tokens: Tokens, trusted: Device, now: datetime) -> None:
        later = now + timedelta(minutes=1)
        me = identify(token=tokens.access, now=now)
        facts = DeviceFacts(platform="android", name="", app_version="2.0")
        update_current(identity=me, facts=facts, push_token="push", now=later)
        trusted.refresh_from_db()
        assert (trusted.platform, trusted.name, trusted.app_version) == ("android", "Old phone", "2.0")
        assert (trusted.push_token, trusted.last_seen_at) == ("push", later)

    def test_a_push_token_moves_with_the_login(
        self, tokens: Tokens, trusted: Device, stranger: Member, now: datetime
    ) -> None:
        assert stranger.user is not None
        theirs = Device.objects.create(
            user=stranger.user, push_token="push", last_seen_at=now, trusted_at=now
        )
        me = identify(token=tokens.access, now=now)
        update_current(identity=me, facts=PHONE, push_token="push", now=now)
        theirs.refresh_from_db()
        trusted.refresh_from_db()
        assert (theirs.push_token, trusted.push_token) == ("", "push")

    def test_none_leaves_it_and_empty_removes_it(
        self, tokens: Tokens, trusted: Device, now: datetime
    ) -> None:
        me = identify(token=tokens.access, now=now)
        update_current(identity=me, facts=PHONE, push_token="push", now=now)
        assert update_current(identity=me, facts=PHONE, push_token=None, now=now).push_token == "push"
        assert update_current(identity=me, facts=PHONE, push_token="", now=now).push_token == ""

    def test_refuses_when_the_session_has_just_ended(self, tokens: Tokens, now: datetime) -> None:
        me = identify(token=tokens.access, now=now)
        Session.objects.update(ended_at=now)
        with pytest.raises(NotFoundError):
            update_current(identity=me, facts=PHONE, push_token=None, now=now)


@pytest.mark.django_db(transaction=True)
class TestRevokeDevice:
    def test_ends_its_sessions_and_its_worth(
        self, tokens: Tokens, user: User, trusted: Device, now: datetime
    ) -> None:
        identify(token=tokens.access, now=now)
        revoke_device(user_id=user.pk, public_id=trusted.public_id, now=now)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)
        assert find_trusted(user=user, device_token="trusted-token") is None
        assert Session.objects.get().end_reason == Session.EndReason.REVOKED

    def test_of_another_or_of_none_is_not_found(
        self, trusted: Device, stranger: Member, now: datetime
    ) -> None:
        with pytest.raises(NotFoundError):
            revoke_device(user_id=stranger.user_id or 0, public_id=trusted.public_id, now=now)
        with pytest.raises(NotFoundError):
            revoke_device(user_id=trusted.user_id, public_id=uuid4(), now=now)

    def test_twice_is_not_found(self, user: User, trusted: Device, now: datetime) -> None:
        revoke_device(user_id=user.pk, public_id=trusted.public_id, now=now)
        with pytest.raises(NotFoundError):
            revoke_device(user_id=user.pk, public_id=trusted.public_id, now=now)
