"""What staff do with a desk's conversation, each step with its line in the history."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.utils.translation import gettext as _

from accounts.models import User
from bcc.core import transactions
from bcc.core.actors import Actor
from bcc.core.errors import WrongStateError
from chat.models import Conversation, ConversationEvent, Message
from chat.services import announce
from chat.services.errors import AssignedAlreadyError
from chat.services.send import write_numbered

Step = ConversationEvent.Kind


@transactions.writes
def take(*, conversation: Conversation, by: Actor, is_forced: bool = False, now: datetime) -> None:
    """Answer it from now on. Raises AssignedAlreadyError if somebody else does, unless forced."""
    row = _locked(conversation)
    if row.assignee_id == by.user_id:
        return
    if row.assignee_id is not None and not is_forced:
        raise AssignedAlreadyError
    _assign(row, by.user_id)
    _note(row, Step.TAKEN, by, now)


@transactions.writes
def hand_over(*, conversation: Conversation, to: User, note: str, by: Actor, now: datetime) -> None:
    """Have a colleague answer it. Raises WrongStateError for one who does not serve desks."""
    if not (to.is_active and to.is_staff and to.has_perm("chat.serve_desks")):
        raise WrongStateError(_("They do not answer at the desks. Choose somebody else."))
    row = _locked(conversation)
    _assign(row, to.pk)
    _note(row, Step.HANDED_OVER, by, now, to=str(to), note=note)


@transactions.writes
def release(*, conversation: Conversation, by: Actor, now: datetime) -> None:
    """Back to the queue, for whoever comes next."""
    row = _locked(conversation)
    if row.assignee_id is not None:
        _assign(row, None)
        _note(row, Step.RELEASED, by, now)


@transactions.writes
def close(*, conversation: Conversation, by: Actor, now: datetime) -> None:
    """Nothing is left to answer; the member sees it, and opens it again by writing. Again changes nothing."""
    row = _locked(conversation)
    if row.state == Conversation.State.CLOSED:
        return
    text = _("The desk has closed this conversation. Write here to open it again.")
    _say(row, text, by, now, state=Conversation.State.CLOSED, closed_at=now, waiting_since=None)
    _note(row, Step.CLOSED, by, now)


@transactions.writes
def reopen(*, conversation: Conversation, by: Actor, now: datetime) -> None:
    """Take it up again. Again changes nothing."""
    row = _locked(conversation)
    if row.state == Conversation.State.OPEN:
        return
    text = _("The desk has opened this conversation again.")
    _say(row, text, by, now, state=Conversation.State.OPEN, closed_at=None, assignee_id=by.user_id)
    _note(row, Step.REOPENED, by, now)


@transactions.writes
def note_export(*, conversation: Conversation, by: Actor, now: datetime) -> None:
    """Write down that somebody took the transcript away."""
    _note(conversation, Step.EXPORTED, by, now)


def _locked(conversation: Conversation) -> Conversation:
    """The row of now, held until commit."""
    Conversation.next_seqs(conversation.pk, 0)
    return Conversation.objects.select_related("desk").get(pk=conversation.pk)


def _assign(row: Conversation, user_id: int | None) -> None:
    Conversation.objects.filter(pk=row.pk).update(assignee=user_id)
    if row.desk is not None:
        announce.desk_changed(row.public_id, row.desk.code)


def _say(row: Conversation, text: str, by: Actor, now: datetime, **changes: object) -> None:
    sender = by.user_id if by.user_id is not None else row.owner_id
    message = Message(type=Message.Type.EVENT, sender_id=sender, client_id=uuid4(), body=text)
    write_numbered(row, [message], now, changes=changes)


def _note(row: Conversation, kind: Step, by: Actor, now: datetime, *, to: str = "", note: str = "") -> None:
    ConversationEvent.objects.create(
        conversation=row, kind=kind, actor=by.name[:150], to=to[:150], note=note[:300], at=now
    )
