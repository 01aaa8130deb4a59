"""Reports, held messages, blocks, and the record of what staff have read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.models import PrivilegeHold, User
from accounts.policies.identity import Identity
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.clock import instant_text
from bcc.core.errors import NotFoundError
from chat.models import Block, HeldMessage, Message, MessageReport, Participant, StaffReading
from chat.policies import rights
from chat.services.change import blank
from chat.services.errors import DecidedAlreadyError, NoSuchMessageError
from chat.services.nudging import nudge_telling
from chat.services.send import write_numbered

# How many messages before the reported one its snapshot holds, so that it can be understood.
CONTEXT: Final = 5
# One line of a reading for so long: a console that is left open is not a hundred readings.
ONE_READING: Final = timedelta(minutes=15)


@transactions.writes
def report_message(*, message: UUID, reason: str, note: str, by: Identity, now: datetime) -> MessageReport:
    """Complain about a message that one can read. A second report of one's own is the first.

    Raises NoSuchMessageError, also for one's own message and for what the desk itself says.
    """
    row = Message.objects.select_related("conversation", "sender").filter(public_id=message).first()
    if row is None or row.type != Message.Type.TEXT or row.sender_id == by.user_id:
        raise NoSuchMessageError
    inside = Participant.objects.present().filter(conversation=row.conversation_id, user=by.user_id)
    if not rights.may_read(
        kind=row.conversation.kind, is_inside=inside.exists(), serves_desks=by.has_perm(rights.SERVE_DESKS)
    ):
        raise NoSuchMessageError
    report, _made = MessageReport.objects.get_or_create(
        reporter_id=by.user_id,
        reported_id=row.public_id,
        defaults={
            "message": row,
            "reported_user_id": row.sender_id,
            "reason": reason,
            "note": note,
            "snapshot": _snapshot(row),
            "created_at": now,
        },
    )
    return report


@transactions.writes
def decide_report(
    *,
    report: MessageReport,
    is_upheld: bool,
    decision: str,
    by: Actor,
    now: datetime,
    hold_until: datetime | None = None,
) -> None:
    """Uphold a report, which deletes the message and may bar its sender, or dismiss it.

    Raises DecidedAlreadyError.
    """
    state = MessageReport.State.UPHELD if is_upheld else MessageReport.State.DISMISSED
    decided = MessageReport.objects.filter(pk=report.pk, state=MessageReport.State.OPEN).update(
        state=state, decided_by=by.name[:150], decided_at=now, decision=decision[:300]
    )
    if not decided:
        raise DecidedAlreadyError
    if not is_upheld:
        return
    row = Message.objects.select_related("conversation__desk").filter(public_id=report.reported_id).first()
    if row is not None and row.deleted_at is None:
        blank(row, now=now)
    member = getattr(report.reported_user, "member", None)
    if hold_until is not None and member is not None:
        PrivilegeHold.objects.create(
            member=member,
            source=PrivilegeHold.Source.MANUAL,
            scope=PrivilegeHold.Scope.CHAT,
            reason=decision[:200],
            starts_at=now,
            until=hold_until,
        )


@transactions.writes
def release_held(*, held: HeldMessage, by: Actor, now: datetime) -> None:
    """Let a held message stand, as of now. Raises DecidedAlreadyError."""
    _decide(held, HeldMessage.State.RELEASED, by, now)
    message = Message(
        type=Message.Type.TEXT,
        sender_id=held.sender_id,
        client_id=held.client_id,
        body=held.body,
        reply_to_id=held.reply_to_id,
    )
    write_numbered(held.conversation, [message], now, changes={"active_at": now})
    nudge_telling(held.conversation_id)


@transactions.writes
def refuse_held(*, held: HeldMessage, by: Actor, now: datetime) -> None:
    """Nobody will see it. Raises DecidedAlreadyError."""
    _decide(held, HeldMessage.State.REFUSED, by, now)


@transactions.writes
def block(*, user: UUID, by: Identity, now: datetime) -> Block:
    """Hear nothing more from somebody. Again changes nothing. Raises NotFoundError."""
    other = User.objects.filter(public_id=user, is_active=True).exclude(pk=by.user_id).first()
    # Only whom one has met in a conversation: the route tells nobody who there is.
    met = (
        Participant.objects.filter(user=other, conversation__participants__user=by.user_id)
        if other is not None
        else Participant.objects.none()
    )
    if other is None or not met.exists():
        raise NotFoundError
    row, _made = Block.objects.get_or_create(
        blocker_id=by.user_id, blocked=other, defaults={"created_at": now}
    )
    return row


@transactions.writes
def unblock(*, user: UUID, by: Identity) -> None:
    """Hear from them again. Raises NotFoundError where there is no block."""
    deleted, _by_model = Block.objects.filter(blocker_id=by.user_id, blocked__public_id=user).delete()
    if not deleted:
        raise NotFoundError


@transactions.writes
def note_reading(*, conversation_id: int, staff_id: int, place: str, now: datetime) -> None:
    """Write down that a member of staff reads it; once in a quarter of an hour and place."""
    since = now - ONE_READING
    recent = StaffReading.objects.filter(
        conversation=conversation_id, staff=staff_id, place=place, at__gt=since
    )
    if not recent.exists():
        StaffReading.objects.create(conversation_id=conversation_id, staff_id=staff_id, place=place, at=now)


def _decide(held: HeldMessage, state: HeldMessage.State, by: Actor, now: datetime) -> None:
    waiting = HeldMessage.objects.filter(pk=held.pk, state=HeldMessage.State.WAITING)
    if not waiting.update(state=state, decided_by=by.name[:150], decided_at=now):
        raise DecidedAlreadyError


def _snapshot(row: Message) -> dict[str, object]:
    """What was said and around it, in plain values: rows may change and go."""
    before = (
        Message.objects.filter(conversation=row.conversation_id, seq__lt=row.seq)
        .select_related("sender")
        .order_by("-seq")[:CONTEXT]
    )
    return {
        **_said(row),
        "conversation": str(row.conversation.public_id),
        "kind": row.conversation.kind,
        "before": [_said(one) for one in reversed(before)],
    }


def _said(row: Message) -> dict[str, object]:
    return {
        "message": str(row.public_id),
        "seq": row.seq,
        "sender": str(row.sender),
        "body": row.body,
        "sent_at": instant_text(row.created_at),
        "edited_at": None if row.edited_at is None else instant_text(row.edited_at),
    }
