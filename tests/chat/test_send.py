"""Sending: numbered, once per client id, by whom it may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import Member, PrivilegeHold, Standing, User
from bcc.core.errors import DomainError
from chat.models import Attachment, ChatProfile, Conversation, HeldMessage, HeldWord, Message, Participant
from chat.selectors.attachments import find_attachment
from chat.selectors.messages import messages_after
from chat.services import errors
from chat.services.change import delete_message, edit_message
from chat.services.opening import open_broadcast, open_desk, open_direct, open_group
from chat.services.rules import forget_rules
from chat.services.send import Outgoing, send_message, send_messages
from tests.chat.talk import (
    allow,
    at_desk,
    direct,
    identity_of,
    make_clerk,
    make_desk,
    make_image,
    say,
    willing,
)
from tests.documents import pictures

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def thread(owner: Member, now: datetime) -> Conversation:
    return at_desk(make_desk(), owner, now)


class TestSendMessages:
    def test_numbers_without_a_hole_across_batches(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        people: list[Member | User] = [owner, make_clerk(), owner]
        first = say(thread, owner, "One.", now=now)
        several = send_messages(
            asks=[
                Outgoing(
                    sender=identity_of(who),
                    conversation=thread.public_id,
                    client_id=uuid4(),
                    body=f"{number}.",
                )
                for number, who in enumerate(people)
            ],
            now=now,
        )
        seqs = [first.seq, *(one.seq for one in several if not isinstance(one, DomainError))]
        assert seqs == [1, 2, 3, 4]
        assert list(Message.objects.order_by("seq").values_list("body", flat=True)) == [
            "One.",
            "0.",
            "1.",
            "2.",
        ]
        thread.refresh_from_db()
        assert thread.last_seq == 4

    def test_says_one_client_id_once_whatever_comes_again(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        client_id = uuid4()
        first = say(thread, owner, client_id=client_id, now=now)
        again = say(thread, owner, "Another text.", client_id=client_id, now=now)
        assert again == first
        ask = Outgoing(sender=identity_of(owner), conversation=thread.public_id, client_id=uuid4(), body="x")
        one, other = send_messages(asks=[ask, ask], now=now)
        assert one == other
        assert Message.objects.count() == 2

    def test_a_client_id_is_the_senders_own(self, owner: Member, stranger: Member, now: datetime) -> None:
        thread = direct(owner, stranger, now)
        client_id = uuid4()
        first = say(thread, owner, client_id=client_id, now=now)
        other = say(thread, stranger, client_id=client_id, now=now)
        assert first.id != other.id

    def test_refuses_a_client_id_of_another_conversation(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        client_id = uuid4()
        say(thread, owner, client_id=client_id, now=now)
        other = at_desk(make_desk("Golf"), owner, now)
        with pytest.raises(errors.ClientIdReusedError):
            say(other, owner, client_id=client_id, now=now)

    def test_one_refusal_of_a_batch_refuses_no_other(
        self, thread: Conversation, owner: Member, stranger: Member, now: datetime
    ) -> None:
        results = send_messages(
            asks=[
                Outgoing(sender=identity_of(who), conversation=thread.public_id, client_id=uuid4(), body=body)
                for who, body in ((owner, "a"), (stranger, "b"), (owner, " \n"), (owner, "c"))
            ],
            now=now,
        )
        assert [getattr(one, "code", None) or getattr(one, "seq", None) for one in results] == [
            1,
            "no_such_conversation",
            "empty_message",
            2,
        ]

    def test_answers_to_a_message_of_the_same_conversation_only(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        first = say(thread, owner, now=now)
        say(thread, owner, "And?", reply_to=first.id, now=now)
        assert Message.objects.get(seq=2).reply_to == Message.objects.get(seq=1)
        other = at_desk(make_desk("Golf"), owner, now)
        with pytest.raises(errors.NoSuchMessageError):
            say(other, owner, reply_to=first.id, now=now)

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ("", errors.EmptyMessageError),
            ("a\0b", errors.UnprintableError),
            ("x" * 4001, errors.MessageTooLongError),
        ],
    )
    def test_refuses_what_is_no_message(
        self, thread: Conversation, owner: Member, body: str, error: type[DomainError], now: datetime
    ) -> None:
        with pytest.raises(error):
            say(thread, owner, body, now=now)
        assert not Message.objects.exists()

    def test_refuses_who_is_barred_from_the_chat_while_it_lasts(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        PrivilegeHold.objects.create(
            member=owner,
            source="manual",
            scope="chat",
            reason="x",
            starts_at=now,
            until=now + timedelta(days=1),
        )
        with pytest.raises(errors.ChatHoldError):
            say(thread, owner, now=now)
        assert say(thread, owner, now=now + timedelta(days=1)).seq == 1

    def test_hides_anothers_conversation(self, thread: Conversation, spouse: Member, now: datetime) -> None:
        with pytest.raises(errors.NoSuchConversationError):
            say(thread, spouse, now=now)

    def test_staff_without_the_desks_see_nothing_there(
        self, thread: Conversation, make_staff: Callable[[str], User], now: datetime
    ) -> None:
        with pytest.raises(errors.NoSuchConversationError):
            say(thread, make_staff("Facilities"), now=now)


class TestWordList:
    def test_holds_a_message_until_it_is_released(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        client_id = uuid4()
        sent = say(thread, owner, "Well, DARN it.", client_id=client_id, now=now)
        assert sent.is_held
        assert say(thread, owner, "Well, DARN it.", client_id=client_id, now=now) == sent
        assert not Message.objects.exists()
        assert HeldMessage.objects.get().found == "darn"

    def test_holds_nothing_of_staff(self, thread: Conversation, now: datetime) -> None:
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        assert say(thread, make_clerk(), "darn", now=now).seq == 1

    @pytest.mark.parametrize(("links", "is_held"), [("allowed", False), ("held", True)])
    def test_treats_links_as_the_club_says(
        self, thread: Conversation, owner: Member, links: str, is_held: bool, now: datetime
    ) -> None:
        allow(links=links)
        assert say(thread, owner, "https://x.example", now=now).is_held is is_held

    def test_refuses_links_where_the_club_does(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        allow(links="refused")
        with pytest.raises(errors.LinksRefusedError):
            say(thread, owner, "https://x.example", now=now)


class TestDesk:
    def test_starts_and_stops_the_waiting_clock(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        clerk = make_clerk()
        say(thread, owner, now=now)
        say(thread, owner, now=now + timedelta(minutes=1))
        assert Conversation.objects.get().waiting_since == now
        say(thread, clerk, "Here.", now=now + timedelta(minutes=2))
        thread.refresh_from_db()
        assert thread.waiting_since is None
        assert thread.assignee == clerk
        assert thread.participants.get(user=clerk).role == Participant.Role.STAFF

    def test_tells_of_its_hours_once(self, owner: Member, now: datetime) -> None:
        desk = make_desk("Night", is_always_open=False, away_message="Nobody is here.")
        thread = at_desk(desk, owner, now)
        say(thread, owner, now=now)
        say(thread, owner, now=now + timedelta(minutes=1))
        away = Message.objects.get(type="away")
        assert away.body == "Nobody is here."
        assert away.seq == 2
        say(thread, owner, now=now + timedelta(hours=9))
        assert Message.objects.filter(type="away").count() == 2

    def test_says_nothing_while_it_is_open(self, owner: Member, now: datetime) -> None:
        thread = at_desk(make_desk(away_message="Nobody is here."), owner, now)
        say(thread, owner, now=now)
        assert Message.objects.count() == 1

    def test_has_one_thread_for_each_member(self, owner: Member, stranger: Member, now: datetime) -> None:
        desk = make_desk()
        assert at_desk(desk, owner, now) == at_desk(desk, owner, now)
        assert at_desk(desk, owner, now) != at_desk(desk, stranger, now)


class TestOpening:
    def test_direct_needs_the_club_and_both(self, owner: Member, stranger: Member, now: datetime) -> None:
        def ask() -> Conversation:
            return open_direct(member_no=stranger.member_no, by=identity_of(owner), now=now)

        willing(owner, stranger)
        with pytest.raises(errors.SwitchedOffError):
            ask()
        allow(allows_direct=True)
        ChatProfile.objects.filter(user=stranger.user).delete()
        with pytest.raises(errors.NotReachableError):
            ask()
        willing(stranger)
        thread = ask()
        assert open_direct(member_no=owner.member_no, by=identity_of(stranger), now=now) == thread

    @pytest.mark.parametrize("number", ["NOBODY-1", "", "own"])
    def test_nobody_learns_whether_a_number_is_somebodys(
        self, owner: Member, number: str, now: datetime
    ) -> None:
        allow(allows_direct=True)
        asked = owner.member_no if number == "own" else number
        with pytest.raises(errors.NotReachableError):
            open_direct(member_no=asked, by=identity_of(owner), now=now)

    def test_group_is_of_those_who_allow_it_and_no_larger_than_the_club_says(
        self, owner: Member, spouse: Member, stranger: Member, now: datetime
    ) -> None:
        allow(allows_groups=True, group_size=2)
        willing(owner, spouse)
        group = open_group(title="Us", members=[spouse.member_no], by=identity_of(owner), now=now)
        assert group.participants.count() == 2
        with pytest.raises(errors.NotReachableError):
            open_group(title="Us", members=[stranger.member_no], by=identity_of(owner), now=now)
        willing(stranger)
        both = [spouse.member_no, stranger.member_no]
        with pytest.raises(errors.GroupTooLargeError):
            open_group(title="Us", members=both, by=identity_of(owner), now=now)

    def test_broadcast_is_read_by_all_and_written_by_few(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        clerk = make_clerk("Test Herald", "broadcast")
        thread = open_broadcast(title="News", by=identity_of(clerk), now=now)
        say(thread, clerk, "The pool is closed.", now=now)
        assert set(thread.participants.values_list("user_id", flat=True)) == {owner.user_id, stranger.user_id}
        with pytest.raises(errors.ReadOnlyConversationError):
            say(thread, owner, now=now)

    def test_a_hidden_desk_is_none(self, owner: Member, now: datetime) -> None:
        desk = make_desk("Old", is_shown=False)
        with pytest.raises(errors.NoSuchConversationError):
            open_desk(desk=desk.public_id, by=identity_of(owner), now=now)


class TestChange:
    def test_an_edit_takes_the_next_number_and_keeps_its_place(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        first, _second = say(thread, owner, now=now), say(thread, owner, now=now)
        assert first.id is not None
        assert edit_message(message=first.id, body="Better.", by=identity_of(owner), now=now) == 3
        row = Message.objects.get(public_id=first.id)
        assert (row.seq, row.change_seq, row.body, row.edited_at) == (1, 3, "Better.", now)
        assert edit_message(message=first.id, body="Better.", by=identity_of(owner), now=now) == 3

    def test_a_deletion_leaves_the_place_without_a_text(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        sent = say(thread, owner, now=now)
        assert sent.id is not None
        assert delete_message(message=sent.id, by=identity_of(owner), now=now) == 2
        row = Message.objects.get()
        assert (row.body, row.deleted_at) == ("", now)
        assert delete_message(message=sent.id, by=identity_of(owner), now=now) == 2

    def test_only_its_sender_and_only_for_a_while(
        self, thread: Conversation, owner: Member, spouse: Member, now: datetime
    ) -> None:
        clerk = make_clerk()
        sent = say(thread, owner, now=now)
        assert sent.id is not None
        for who, error in ((clerk, errors.NotYourMessageError), (spouse, errors.NoSuchMessageError)):
            with pytest.raises(error):
                edit_message(message=sent.id, body="x", by=identity_of(who), now=now)
            with pytest.raises(error):
                delete_message(message=sent.id, by=identity_of(who), now=now)
        late = now + timedelta(minutes=15)
        edit_message(message=sent.id, body="In time.", by=identity_of(owner), now=late)
        with pytest.raises(errors.TooLateToChangeError):
            edit_message(
                message=sent.id, body="x", by=identity_of(owner), now=late + timedelta(microseconds=1)
            )

    def test_brings_in_no_word_that_would_have_been_held(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        sent = say(thread, owner, now=now)
        assert sent.id is not None
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        with pytest.raises(errors.HeldWordError):
            edit_message(message=sent.id, body="darn", by=identity_of(owner), now=now)

    def test_a_moderator_deletes_at_any_time(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        sent = say(thread, owner, now=now)
        assert sent.id is not None
        moderator = identity_of(make_clerk("Test Moderator", "moderate"))
        assert delete_message(message=sent.id, by=moderator, now=now + timedelta(days=9)) == 2


class TestAttachments:
    def test_are_pictures_that_the_sender_uploaded_for_a_chat(
        self, thread: Conversation, owner: Member, stranger: Member, now: datetime
    ) -> None:
        assert owner.user is not None
        assert stranger.user is not None
        mine = make_image(owner.user, now)
        say(thread, owner, "", attachments=(mine.public_id,), now=now)
        (row,) = messages_after(thread.pk, 0, 10)
        (shown,) = row["attachments"]
        assert (shown["name"], shown["type"]) == ("A green", "image/webp")
        others = make_image(stranger.user, now)
        club = make_image(owner.user, now, alt="The lawn", purpose="club")
        for image in (others, club):
            with pytest.raises(errors.NoSuchAttachmentError):
                say(thread, owner, "x", attachments=(image.public_id,), now=now)

    def test_are_sent_and_shown_over_the_api(
        self,
        thread: Conversation,
        owner: Member,
        spouse: Member,
        client_of: Callable[[Member | User], APIClient],
    ) -> None:
        client = client_of(owner)
        picture = SimpleUploadedFile("green.jpg", pictures.jpeg(), content_type="image/jpeg")
        form = {"file": picture, "purpose": "chat", "alt": "The ninth"}
        sent = client.post("/api/v1/images", form, format="multipart")
        assert sent.status_code == 201, sent.content
        path = f"/api/v1/chat/conversations/{thread.public_id}/messages"
        message = {"client_id": str(uuid4()), "body": "", "attachments": [sent.json()["id"]]}
        assert client.post(path, message, format="json").status_code == 201
        (shown,) = client.get(path, {"after_seq": 0}).json()["results"][0]["message"]["attachments"]
        assert shown["name"] == "The ninth"
        assert client.get(shown["url"]).status_code == 200
        assert client_of(spouse).get(shown["url"]).status_code == 404

    def test_are_shown_no_more_once_their_message_is_deleted(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        assert owner.user is not None
        image = make_image(owner.user, now)
        sent = say(thread, owner, "x", attachments=(image.public_id,), now=now)
        attachment = Attachment.objects.get()
        assert find_attachment(attachment.public_id) == attachment
        assert sent.id is not None
        delete_message(message=sent.id, by=identity_of(owner), now=now)
        assert find_attachment(attachment.public_id) is None
        assert messages_after(thread.pk, 0, 10)[0]["attachments"] == []


class TestConcurrency:
    def test_another_process_with_the_same_client_id_is_found_at_the_second_try(
        self, thread: Conversation, owner: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As if the other's row came between the look and the insert."""
        from chat.services import send

        client_id = uuid4()
        first = say(thread, owner, client_id=client_id, now=now)
        looks = iter([False, True])
        found = send._find_said

        def blind_at_first(batch: object) -> None:
            if next(looks):
                found(batch)  # type: ignore[arg-type]  # what the service gives it

        monkeypatch.setattr(send, "_find_said", blind_at_first)
        ask = Outgoing(
            sender=identity_of(owner), conversation=thread.public_id, client_id=client_id, body="Hello."
        )
        assert send_message(ask=ask, now=now) == first
        assert Message.objects.count() == 1


class TestSuspended:
    def test_may_not_open_a_socket(self, owner: Member) -> None:
        from chat.selectors.rooms import suspended

        assert suspended([owner.user_id or 0]) == set()
        owner.membership.standing = Standing.SUSPENDED
        owner.membership.save()
        assert suspended([owner.user_id or 0]) == {owner.user_id}
