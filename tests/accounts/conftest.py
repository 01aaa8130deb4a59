"""What the tests of accounts share beside the cast: a password, phones, and the code of a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.core import mail

from accounts.models import Device, Member, Notification, User
from accounts.services import epoch, messages, outbox
from accounts.services.devices import DeviceFacts, token_hash

PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "a phrase that nobody else uses"
PHONE = DeviceFacts(platform="ios", name="Test phone", app_version="1.0")


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What this process keeps in memory does not outlive a test."""
    yield
    epoch.forget()
    messages.forget_edited_texts()
    outbox._sender_at.cache_clear()


@pytest.fixture
def user(owner: Member) -> User:
    """The owner's account, with PASSWORD."""
    assert owner.user is not None
    owner.user.set_password(PASSWORD)
    owner.user.save(update_fields=["password"])
    return owner.user


@pytest.fixture
def trusted(user: User, now: datetime) -> Device:
    """A device that answered a code before; its token is "trusted-token"."""
    return Device.objects.create(
        user=user,
        platform="ios",
        name="Old phone",
        token_hash=token_hash("trusted-token"),
        trusted_at=now,
        last_seen_at=now,
    )


@pytest.fixture
def code_sent() -> Callable[[], str]:
    """Send what is in the outbox, and read the code in the last mail."""

    def read() -> str:
        for row in Notification.objects.filter(state="PENDING").order_by("pk"):
            outbox.send_notification(public_id=row.public_id, now=row.send_at)
        found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
        assert found is not None
        return found[0]

    return read
