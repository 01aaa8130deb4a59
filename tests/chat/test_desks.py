"""What staff do at the desks, reports and blocks, who is told, and what is kept how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Member, Notification, PrivilegeHold
from bcc.core.actors import Actor
from bcc.core.errors import NotFoundError, WrongStateError
from chat.models import (
    Connection,
    Conversation,
    ConversationEvent,
    HeldMessage,
    HeldWord,
    Message,
    MessageReport,
    Participant,
    RetentionRule,
    SocketProcess,
    StaffReading,
)
from chat.services import desks, errors
from chat.services.change import delete_message
from chat.services.moderation import (
    block,
    decide_report,
    note_reading,
    refuse_held,
    release_held,
    report_message,
    unblock,
)
from chat.services.opening import mute
from chat.services.pointers import Pointer, move_pointers
from chat.services.retention import apply_retention
from chat.services.rules import forget_rules
from chat.services.telling import tell_away
from tests.chat.talk import at_desk, direct, identity_of, make_clerk, make_desk, say

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
MODERATOR = Actor("staff", "Test Moderator")


@pytest.fixture
def thread(owner: Member, now: datetime) -> Conversation:
    return at_desk(make_desk(), owner, now)


def actor(user: object) -> Actor:
    return Actor("staff", str(user), user.pk)  # type: ignore[attr-defined]  # a user


class TestDesks:
    def test_one_takes_it_and_another_only_by_taking_over(self, thread: Conversation, now: datetime) -> None:
        one, other = make_clerk("Test One"), make_clerk("Test Other")
        desks.take(conversation=thread, by=actor(one), now=now)
        desks.take(conversation=thread, by=actor(one), now=now)
        with pytest.raises(errors.AssignedAlreadyError):
            desks.take(conversation=thread, by=actor(other), now=now)
        desks.take(conversation=thread, by=actor(other), is_forced=True, now=now)
        assert Conversation.objects.get().assignee == other
        assert [one.actor for one in ConversationEvent.objects.order_by("pk")] == ["Test One", "Test Other"]

    def test_is_handed_over_to_somebody_who_serves_desks(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        one, other = make_clerk("Test One"), make_clerk("Test Other")
        desks.hand_over(conversation=thread, to=other, note="Golf.", by=actor(one), now=now)
        assert Conversation.objects.get().assignee == other
        event = ConversationEvent.objects.get()
        assert (event.kind, event.to, event.note) == ("handed_over", "Test Other", "Golf.")
        assert owner.user is not None
        with pytest.raises(WrongStateError):
            desks.hand_over(conversation=thread, to=owner.user, note="", by=actor(one), now=now)

    def test_closing_is_said_and_undone_by_the_members_next_message(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        clerk = make_clerk()
        say(thread, owner, now=now)
        desks.close(conversation=thread, by=actor(clerk), now=now)
        desks.close(conversation=thread, by=actor(clerk), now=now)
        row = Conversation.objects.get()
        assert (row.state, row.waiting_since, row.last_seq) == ("CLOSED", None, 2)
        assert Message.objects.get(seq=2).type == "event"
        say(thread, owner, "Still there?", now=now)
        row.refresh_from_db()
        assert (row.state, row.waiting_since) == ("OPEN", now)

    def test_is_opened_again_by_staff_and_given_back(self, thread: Conversation, now: datetime) -> None:
        clerk = make_clerk()
        desks.close(conversation=thread, by=actor(clerk), now=now)
        desks.reopen(conversation=thread, by=actor(clerk), now=now)
        assert Conversation.objects.get().assignee == clerk
        desks.release(conversation=thread, by=actor(clerk), now=now)
        row = Conversation.objects.get()
        assert (row.state, row.assignee) == ("OPEN", None)
        assert list(ConversationEvent.objects.order_by("pk").values_list("kind", flat=True)) == [
            "closed",
            "reopened",
            "released",
        ]


class TestReports:
    def test_snapshot_outlives_the_message(self, owner: Member, stranger: Member, now: datetime) -> None:
        thread = direct(owner, stranger, now)
        say(thread, owner, "Before.", now=now)
        sent = say(thread, stranger, "Nasty.", now=now)
        assert sent.id is not None
        report = report_message(message=sent.id, reason="abuse", note="x", by=identity_of(owner), now=now)
        again = report_message(message=sent.id, reason="spam", note="", by=identity_of(owner), now=now)
        assert again == report
        delete_message(message=sent.id, by=identity_of(stranger), now=now)
        Message.objects.all().delete()
        report.refresh_from_db()
        assert report.message is None
        assert report.snapshot["body"] == "Nasty."
        assert [one["body"] for one in report.snapshot["before"]] == ["Before."]

    def test_upheld_deletes_the_message_and_bars_its_sender_once(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        thread = direct(owner, stranger, now)
        sent = say(thread, stranger, "Nasty.", now=now)
        assert sent.id is not None
        report = report_message(message=sent.id, reason="abuse", note="", by=identity_of(owner), now=now)
        until = now + timedelta(days=3)
        verdict = {"report": report, "by": MODERATOR, "decision": "Rude.", "now": now}
        decide_report(is_upheld=True, hold_until=until, **verdict)  # type: ignore[arg-type]  # as above
        assert Message.objects.get(seq=1).deleted_at == now
        assert PrivilegeHold.objects.get(member=stranger, scope="chat").until == until
        with pytest.raises(errors.ChatHoldError):
            say(thread, stranger, now=now)
        with pytest.raises(errors.DecidedAlreadyError):
            decide_report(is_upheld=False, **verdict)  # type: ignore[arg-type]  # as above

    def test_dismissed_changes_nothing(self, owner: Member, stranger: Member, now: datetime) -> None:
        thread = direct(owner, stranger, now)
        sent = say(thread, stranger, "Fine.", now=now)
        assert sent.id is not None
        report = report_message(message=sent.id, reason="other", note="", by=identity_of(owner), now=now)
        decide_report(report=report, is_upheld=False, decision="It is fine.", by=MODERATOR, now=now)
        assert MessageReport.objects.get().state == "DISMISSED"
        assert Message.objects.get().deleted_at is None

    def test_is_not_of_ones_own_nor_of_what_one_cannot_see(
        self, thread: Conversation, owner: Member, stranger: Member, now: datetime
    ) -> None:
        sent = say(thread, owner, now=now)
        assert sent.id is not None
        for who in (owner, stranger):
            with pytest.raises(errors.NoSuchMessageError):
                report_message(message=sent.id, reason="spam", note="", by=identity_of(who), now=now)


class TestHeld:
    def test_released_it_stands_under_its_client_id(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        client_id = uuid4()
        say(thread, owner, "darn", client_id=client_id, now=now)
        held = HeldMessage.objects.get()
        release_held(held=held, by=MODERATOR, now=now)
        with pytest.raises(errors.DecidedAlreadyError):
            refuse_held(held=held, by=MODERATOR, now=now)
        assert say(thread, owner, "darn", client_id=client_id, now=now).seq == 1
        assert Message.objects.count() == 1

    def test_refused_it_is_never_seen(self, thread: Conversation, owner: Member, now: datetime) -> None:
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        say(thread, owner, "darn", now=now)
        refuse_held(held=HeldMessage.objects.get(), by=MODERATOR, now=now)
        assert not Message.objects.exists()


class TestBlocks:
    def test_ends_what_is_said_between_two(self, owner: Member, stranger: Member, now: datetime) -> None:
        thread = direct(owner, stranger, now)
        assert stranger.user is not None
        block(user=stranger.user.public_id, by=identity_of(owner), now=now)
        block(user=stranger.user.public_id, by=identity_of(owner), now=now)
        for who in (owner, stranger):
            with pytest.raises(errors.NotReachableError):
                say(thread, who, now=now)
        unblock(user=stranger.user.public_id, by=identity_of(owner))
        assert say(thread, stranger, now=now).seq == 1
        with pytest.raises(NotFoundError):
            unblock(user=stranger.user.public_id, by=identity_of(owner))

    def test_is_of_people_one_has_met(self, owner: Member, stranger: Member, now: datetime) -> None:
        assert stranger.user is not None
        with pytest.raises(NotFoundError):
            block(user=stranger.user.public_id, by=identity_of(owner), now=now)


class TestPointers:
    def move(
        self, who: Member, thread: Conversation, now: datetime, read: int = 0, delivered: int = 0
    ) -> int:
        me = identity_of(who)
        pointer = Pointer(
            user_id=me.user_id,
            user=me.public_id,
            conversation=thread.public_id,
            read=read,
            delivered=delivered,
        )
        return move_pointers(pointers=[pointer], now=now)

    def test_only_go_forward_and_no_further_than_there_is(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        for _ in range(3):
            say(thread, make_clerk(), now=now)
        assert self.move(owner, thread, now, delivered=2) == 1
        assert self.move(owner, thread, now, read=1) == 1
        assert self.move(owner, thread, now, read=1, delivered=1) == 0
        assert self.move(owner, thread, now, read=99) == 1
        row = Participant.objects.get(user=owner.user)
        assert (row.last_read_seq, row.last_delivered_seq) == (3, 3)

    def test_of_a_stranger_are_none(self, thread: Conversation, stranger: Member, now: datetime) -> None:
        say(thread, make_clerk(), now=now)
        assert self.move(stranger, thread, now, read=1) == 0
        assert not Participant.objects.filter(user=stranger.user).exists()


class TestTelling:
    def told(self, owner: Member) -> int:
        return Notification.objects.filter(user=owner.user, kind="chat_message", channel="in_app").count()

    def test_once_until_it_is_read(self, thread: Conversation, owner: Member, now: datetime) -> None:
        clerk = make_clerk()
        for _ in range(3):
            say(thread, clerk, now=now)
            tell_away(now=now)
        assert self.told(owner) == 1
        TestPointers().move(owner, thread, now, read=3)
        say(thread, clerk, now=now)
        tell_away(now=now)
        tell_away(now=now)
        assert self.told(owner) == 2

    def test_not_of_ones_own_nor_of_a_muted_one(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        say(thread, owner, now=now)
        assert tell_away(now=now) == 0
        mute(conversation=thread, by=identity_of(owner), is_muted=True, now=now)
        say(thread, make_clerk(), now=now)
        assert tell_away(now=now) == 0

    def test_not_who_has_a_live_socket_until_its_process_is_dead(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        process = SocketProcess.objects.create(name="p", started_at=now, seen_at=now)
        Connection.objects.create(
            process=process, user_id=owner.user_id or 0, session=uuid4(), connected_at=now, last_active_at=now
        )
        say(thread, make_clerk(), now=now)
        assert tell_away(now=now) == 0
        assert tell_away(now=now + timedelta(seconds=31)) == 1
        assert self.told(owner) == 1

    def test_names_who_wrote(self, owner: Member, stranger: Member, now: datetime) -> None:
        thread = direct(owner, stranger, now)
        say(thread, stranger, now=now)
        tell_away(now=now)
        told = Notification.objects.get(user=owner.user, kind="chat_message", channel="in_app")
        assert told.context == {"from": str(stranger.user)}
        assert told.link == f"chat/conversations/{thread.public_id}"


class TestRetention:
    def test_deletes_what_is_older_than_the_rule_of_its_kind(
        self, thread: Conversation, owner: Member, stranger: Member, now: datetime
    ) -> None:
        RetentionRule.objects.create(kind="desk", keep_days=30)
        say(thread, owner, "Old.", now=now)
        kept = direct(owner, stranger, now)
        say(kept, owner, "Kept.", now=now)
        say(thread, owner, "New.", now=now + timedelta(days=20))
        assert apply_retention(now=now + timedelta(days=30)) == 0
        assert apply_retention(now=now + timedelta(days=30, seconds=1)) == 1
        assert set(Message.objects.values_list("body", flat=True)) == {"Kept.", "New."}
        assert say(thread, owner, now=now + timedelta(days=40)).seq == 3


class TestReadings:
    def test_are_written_once_in_a_quarter_of_an_hour_and_place(
        self, thread: Conversation, now: datetime
    ) -> None:
        clerk = make_clerk()
        for minutes in (0, 5, 14, 15, 20):
            note_reading(
                conversation_id=thread.pk,
                staff_id=clerk.pk,
                place="console",
                now=now + timedelta(minutes=minutes),
            )
        note_reading(conversation_id=thread.pk, staff_id=clerk.pk, place="transcript", now=now)
        assert StaffReading.objects.count() == 3
