"""``manage.py`` with sending that writes no row: the fan-out alone, for the comparison without persistence.

Nothing in the product can switch the rows off; here the one function that the sockets call is replaced.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402 - the apps come first

from bcc.core.errors import DomainError  # noqa: E402
from chat.consumers import office  # noqa: E402
from chat.fanout import bus  # noqa: E402
from chat.models import topic_of  # noqa: E402
from chat.selectors.messages import frame_of  # noqa: E402
from chat.services.send import Outgoing, Sent  # noqa: E402

_numbers = itertools.count(1)


def send_messages(*, asks: Sequence[Outgoing], now: datetime) -> list[Sent | DomainError]:
    """Number and publish; each process counts by itself, so this is for one process."""
    answers: list[Sent | DomainError] = []
    events = []
    for ask in asks:
        seq, public_id = next(_numbers), uuid4()
        row = {
            "public_id": public_id,
            "seq": seq,
            "change_seq": seq,
            "type": "text",
            "sender__public_id": ask.sender.public_id,
            "sender__display_name": ask.sender.display_name,
            "sender__username": ask.sender.username,
            "sender__is_staff": False,
            "client_id": ask.client_id,
            "body": ask.body,
            "reply_to__public_id": None,
            "attachments": [],
            "created_at": now,
            "edited_at": None,
            "deleted_at": None,
        }
        events.append((seq, frame_of(row, ask.conversation, after=seq - 1)))
        answers.append(Sent(ask.client_id, public_id, seq))
    bus.publish(topic_of(asks[0].conversation), events)
    return answers


office.send_messages = send_messages  # type: ignore[attr-defined]  # it imports it
execute_from_command_line(["manage.py", *sys.argv[1:]])
