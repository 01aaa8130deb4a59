"""Changing what was said: by its sender for a while, by a moderator at any time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.models import PrivilegeHold
from accounts.policies.identity import Identity
from bcc.core import transactions
from chat.models import Conversation, Message, Participant
from chat.policies import rights
from chat.selectors.messages import message_row
from chat.services import announce
from chat.services.errors import (
    ChatHoldError,
    HeldWordError,
    NoSuchMessageError,
    NotYourMessageError,
    TooLateToChangeError,
)
from chat.services.rules import checked_body, current_rules


@transactions.writes
def edit_message(*, message: UUID, body: str, by: Identity, now: datetime) -> int:
    """Give a message another text; the number that the change took. The same text changes nothing.

    Raises NoSuchMessageError, NotYourMessageError, TooLateToChangeError, ChatHoldError, HeldWordError
    and what a new message's text is refused for.
    """
    row = _own(message, by, now)
    if by.member_id is not None and PrivilegeHold.objects.in_force(now, PrivilegeHold.Scope.CHAT).filter(
        member_id=by.member_id
    ):
        raise ChatHoldError
    text, held = checked_body(body, is_staff=by.is_staff)
    if held:
        raise HeldWordError
    if text == row.body:
        return row.change_seq
    return _change(row, body=text, edited_at=now)


@transactions.writes
def delete_message(*, message: UUID, by: Identity, now: datetime) -> int:
    """Take a message's text away; its place stays. Again changes nothing. Raises as ``edit_message``."""
    row = _visible(message, by)
    if row.deleted_at is not None:
        return row.change_seq
    if row.sender_id == by.user_id and row.type == Message.Type.TEXT:
        _own(message, by, now)
    elif not by.has_perm(rights.MODERATE):
        raise NotYourMessageError
    return blank(row, now=now)


def blank(row: Message, *, now: datetime) -> int:
    """Delete ``row`` inside the caller's transaction, whoever asked for it."""
    return _change(row, body="", deleted_at=now)


def _visible(message: UUID, by: Identity) -> Message:
    row = Message.objects.select_related("conversation__desk").filter(public_id=message).first()
    if row is None:
        raise NoSuchMessageError
    inside = Participant.objects.present().filter(conversation=row.conversation_id, user=by.user_id)
    if not by.has_perm(rights.MODERATE) and not rights.may_read(
        kind=row.conversation.kind,
        is_inside=inside.exists(),
        serves_desks=by.has_perm(rights.SERVE_DESKS),
    ):
        raise NoSuchMessageError
    return row


def _own(message: UUID, by: Identity, now: datetime) -> Message:
    row = _visible(message, by)
    if row.sender_id != by.user_id or row.type != Message.Type.TEXT:
        raise NotYourMessageError
    minutes = current_rules().settings.edit_minutes
    if row.deleted_at is not None or not rights.is_in_time(
        created_at=row.created_at, now=now, minutes=minutes
    ):
        raise TooLateToChangeError
    return row


def _change(row: Message, **values: object) -> int:
    number = Conversation.next_seqs(row.conversation_id)
    Message.objects.filter(pk=row.pk).update(change_seq=number, **values)
    announce.rows(row.conversation.public_id, [message_row(row.pk)])
    if row.conversation.desk is not None:
        announce.desk_changed(row.conversation.public_id, row.conversation.desk.code)
    return number
