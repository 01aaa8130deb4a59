"""The staff's pages without scripts: links, forms, and what each writes down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from chat.models import (
    CannedReply,
    Connection,
    Conversation,
    ConversationEvent,
    HeldMessage,
    HeldWord,
    Message,
    MessageReport,
    Participant,
    SocketProcess,
    StaffReading,
)
from chat.services.admission import admit_ticket, confirm
from chat.services.moderation import report_message
from chat.services.rules import forget_rules
from facilities.models import Facility
from tests.chat.talk import at_desk, direct, identity_of, make_attachment, make_clerk, make_desk, say
from tests.reservations.bookings import book, wish_for

pytestmark = pytest.mark.django_db
CONSOLE = "/admin/chat/console/"


@pytest.fixture
def thread(owner: Member, now: datetime, travel: Any) -> Conversation:
    made = at_desk(make_desk(away_message="Back soon."), owner, now)
    say(made, owner, "Is the pool <open>?", now=now)
    return made


@pytest.fixture
def browser(front_desk: User) -> Client:
    made = Client()
    made.force_login(front_desk)
    return made


def page_of(thread: Conversation, **more: str) -> str:
    return f"{CONSOLE}?{urlencode({'view': 'open', 'c': thread.public_id, **more})}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


class TestConsole:
    def test_shows_who_waits_and_what_was_said(self, browser: Client, thread: Conversation) -> None:
        queue = text_of(browser.get(f"{CONSOLE}?view=waiting"))
        assert "Test Owner" in queue
        assert "came just now" in queue
        shown = text_of(browser.get(page_of(thread)))
        assert "Is the pool &lt;open&gt;?" in shown
        assert "answered by nobody yet" in shown

    def test_writes_down_and_shows_that_it_was_read(
        self, browser: Client, thread: Conversation, front_desk: User
    ) -> None:
        browser.get(page_of(thread))
        browser.get(page_of(thread, part="thread"))
        assert StaffReading.objects.get().staff == front_desk
        assert Participant.objects.get(user=front_desk).last_read_seq == 1
        browser.get(CONSOLE)
        assert StaffReading.objects.count() == 1

    def test_sends_an_answer_once_however_often_it_is_pressed(
        self, browser: Client, thread: Conversation, front_desk: User
    ) -> None:
        form = {"do": "send", "body": "It is.", "client_id": str(uuid4())}
        for _ in range(2):
            answer = browser.post(page_of(thread), form)
            assert answer.status_code == 302
        row = Message.objects.get(seq=2)
        assert (row.body, row.sender) == ("It is.", front_desk)
        assert Conversation.objects.get().assignee == front_desk

    def test_tells_a_refusal_on_the_page_and_to_its_script(
        self, browser: Client, thread: Conversation
    ) -> None:
        shown = text_of(browser.post(page_of(thread), {"do": "send", "body": " "}, follow=True))
        assert "There is nothing in this message." in shown
        told = browser.post(
            page_of(thread), {"do": "send", "body": " "}, headers={"Accept": "application/json"}
        )
        assert told.status_code == 409
        assert told.json()["errors"]

    def test_takes_hands_over_closes_and_opens_again(
        self, browser: Client, thread: Conversation, front_desk: User
    ) -> None:
        other = make_clerk("Test Colleague")
        assert "Test Colleague" in text_of(browser.get(page_of(thread)))
        steps: list[dict[str, object]] = [
            {"do": "take"},
            {"do": "hand_over", "to": other.pk, "note": "Yours."},
            {"do": "take", "is_forced": "1"},
            {"do": "close"},
            {"do": "reopen"},
            {"do": "release"},
        ]
        for step in steps:
            assert browser.post(page_of(thread), step).status_code == 302
        assert list(ConversationEvent.objects.order_by("pk").values_list("kind", flat=True)) == [
            "taken",
            "handed_over",
            "taken",
            "closed",
            "reopened",
            "released",
        ]
        history = text_of(browser.get(page_of(thread)))
        assert "Test Front Desk: handed over (Test Colleague), Yours." in history

    def test_gives_the_transcript_and_writes_that_down(self, browser: Client, thread: Conversation) -> None:
        answer = browser.get(reverse("admin:chat_console_transcript", args=[thread.public_id]))
        assert "attachment" in answer["Content-Disposition"]
        assert "Test Owner: Is the pool <open>?" in answer.content.decode()
        assert set(StaffReading.objects.values_list("place", flat=True)) == {"transcript"}
        assert ConversationEvent.objects.get().kind == "exported"

    def test_shows_a_picture_of_a_desks_message_only(
        self, browser: Client, thread: Conversation, owner: Member, stranger: Member, now: datetime
    ) -> None:
        picture = make_attachment(Message.objects.get(), now)
        assert str(picture.public_id) in text_of(browser.get(page_of(thread)))
        address = reverse("admin:chat_console_attachment", args=[picture.public_id])
        assert browser.get(address).content.startswith(b"served")
        private = direct(owner, stranger, now)
        say(private, owner, now=now)
        other = make_attachment(Message.objects.get(conversation=private), now)
        assert (
            browser.get(reverse("admin:chat_console_attachment", args=[other.public_id])).status_code == 404
        )

    @pytest.mark.parametrize("query", ["c=none", "c=00000000-0000-4000-8000-000000000000"])
    def test_knows_no_other_conversation(self, browser: Client, thread: Conversation, query: str) -> None:
        wanted = 200 if query == "c=none" else 404
        assert browser.get(f"{CONSOLE}?{query}").status_code == wanted

    def test_shows_no_conversation_between_members(
        self, browser: Client, owner: Member, stranger: Member, now: datetime
    ) -> None:
        private = direct(owner, stranger, now)
        say(private, owner, now=now)
        assert browser.get(page_of(private)).status_code == 404

    def test_is_shut_to_who_does_not_serve_desks(
        self, make_staff: Callable[[str], User], thread: Conversation
    ) -> None:
        browser = Client()
        browser.force_login(make_staff("Facilities"))
        for address in (
            page_of(thread),
            reverse("admin:chat_console_transcript", args=[thread.public_id]),
        ):
            assert browser.get(address).status_code == 403
        assert browser.post(reverse("admin:chat_console_ticket")).status_code == 403
        assert not StaffReading.objects.exists()

    def test_offers_canned_replies_of_its_desk(self, browser: Client, thread: Conversation) -> None:
        CannedReply.objects.create(title="Hours", body="We open at six.")
        CannedReply.objects.create(title="Of another", body="x", desk=make_desk("Golf"))
        shown = text_of(browser.get(page_of(thread)))
        assert "We open at six." in shown
        assert "Of another" not in shown


class TestTicket:
    def test_opens_a_socket_that_hangs_on_the_session(self, browser: Client, now: datetime) -> None:
        assert browser.get(reverse("admin:chat_console_ticket")).status_code == 403
        found = browser.post(reverse("admin:chat_console_ticket")).json()
        admission = admit_ticket(ticket=found["ticket"], now=now)
        identity = confirm(admission=admission, now=now)
        assert identity.has_perm("chat.serve_desks")
        assert str(identity.public_id) == found["me"]
        confirm(admission=admission, now=now)
        browser.post(reverse("admin:logout"))
        with pytest.raises(Exception, match="ended"):
            confirm(admission=admission, now=now)

    def test_ends_with_another_password(self, browser: Client, front_desk: User, now: datetime) -> None:
        found = browser.post(reverse("admin:chat_console_ticket")).json()
        admission = admit_ticket(ticket=found["ticket"], now=now)
        front_desk.set_password("another one of fifteen")
        front_desk.save()
        with pytest.raises(Exception, match="ended"):
            confirm(admission=admission, now=now)


class TestCard:
    def test_shows_today_and_what_holds(
        self, browser: Client, owner: Member, spouse: Member, court: Facility, now: datetime, travel: Any
    ) -> None:
        book(owner, wish_for(court, day=1, hour=10), now=now)
        card = text_of(browser.get(reverse("member-card", args=[owner.public_id])))
        for text in (owner.member_no, "Court One", "10:00", spouse.full_name, "good"):
            assert text in card

    def test_is_for_who_speaks_with_members(self, make_staff: Callable[[str], User], owner: Member) -> None:
        browser = Client()
        browser.force_login(make_staff("Moderator"))
        assert browser.get(reverse("member-card", args=[owner.public_id])).status_code == 403
        assert Client().get(reverse("member-card", args=[owner.public_id])).status_code == 302


class TestModeration:
    @pytest.fixture
    def moderator(self, make_staff: Callable[[str], User]) -> Client:
        made = Client()
        made.force_login(make_staff("Moderator"))
        return made

    def test_reads_the_snapshot_and_decides(
        self, moderator: Client, owner: Member, stranger: Member, now: datetime
    ) -> None:
        private = direct(owner, stranger, now)
        sent = say(private, stranger, "Very <rude>.", now=now)
        assert sent.id is not None
        report = report_message(message=sent.id, reason="abuse", note="", by=identity_of(owner), now=now)
        page = reverse("admin:chat_messagereport_change", args=[report.pk])
        assert "Very &lt;rude&gt;." in text_of(moderator.get(page))
        assert StaffReading.objects.get().place == "report"
        decide = reverse("admin:chat_messagereport_decide", args=[report.pk])
        assert "Say why." in text_of(moderator.post(decide, {"verdict": "uphold", "hold_days": "0"}))
        form = {"verdict": "uphold", "hold_days": "2", "decision": "Against the rules."}
        assert moderator.post(decide, form).status_code == 302
        assert MessageReport.objects.get().state == "UPHELD"
        assert Message.objects.get().deleted_at is not None
        again = moderator.post(decide, form, follow=True)
        assert "Somebody has decided this already." in text_of(again)

    def test_lets_held_messages_stand_or_not(
        self, moderator: Client, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        HeldWord.objects.create(phrase="darn")
        forget_rules()
        for body in ("darn one", "darn two"):
            say(thread, owner, body, now=now)
        listed = reverse("admin:chat_heldmessage_changelist")
        assert "darn one" in text_of(moderator.get(listed))
        one, two = HeldMessage.objects.order_by("pk")
        for action, row in (("release", one), ("refuse", two), ("release", two)):
            moderator.post(listed, {"action": action, "_selected_action": [row.pk]})
        assert set(Message.objects.values_list("body", flat=True)) == {"Is the pool <open>?", "darn one"}

    def test_an_auditor_sees_who_read_what_and_decides_nothing(
        self, make_staff: Callable[[str], User], owner: Member, stranger: Member, now: datetime
    ) -> None:
        private = direct(owner, stranger, now)
        sent = say(private, stranger, "x", now=now)
        assert sent.id is not None
        report = report_message(message=sent.id, reason="abuse", note="", by=identity_of(owner), now=now)
        auditor = Client()
        auditor.force_login(make_staff("Auditor"))
        decide = reverse("admin:chat_messagereport_decide", args=[report.pk])
        assert auditor.post(decide, {"verdict": "dismiss", "decision": "x"}).status_code == 403
        auditor.get(reverse("admin:chat_messagereport_change", args=[report.pk]))
        readings = text_of(auditor.get(reverse("admin:chat_staffreading_changelist")))
        assert "Test Auditor" in readings


class TestConnections:
    def test_lists_the_living_and_closes_one(
        self, make_staff: Callable[[str], User], owner: Member, now: datetime, travel: Any
    ) -> None:
        alive = SocketProcess.objects.create(name="alive", started_at=now, seen_at=now)
        dead = SocketProcess.objects.create(name="dead", started_at=now, seen_at=now.replace(year=2025))
        for process in (alive, dead):
            Connection.objects.create(
                process=process,
                user_id=owner.user_id or 0,
                session=uuid4(),
                connected_at=now,
                last_active_at=now,
            )
        ops = Client()
        ops.force_login(make_staff("Ops"))
        listed = reverse("admin:chat_connection_changelist")
        shown = text_of(ops.get(listed))
        assert "alive" in shown
        assert "dead" not in shown
        row = Connection.objects.get(process=alive)
        answer = ops.post(listed, {"action": "close", "_selected_action": [row.pk]}, follow=True)
        assert "1 connection is closed." in text_of(answer)


class TestDeskPages:
    def test_membership_sets_up_desks_and_the_moderator_the_rules(
        self, make_staff: Callable[[str], User]
    ) -> None:
        membership = Client()
        membership.force_login(make_staff("Membership"))
        form = {
            "code": "spa",
            "name": "Spa",
            "department": "",
            "description": "",
            "away_message": "",
            "is_shown": "on",
            "position": "5",
            "spans-TOTAL_FORMS": "1",
            "spans-INITIAL_FORMS": "0",
            "spans-0-weekday": "0",
            "spans-0-opens": "09:00",
            "spans-0-closes": "08:00",
        }
        refused = membership.post(reverse("admin:chat_desk_add"), form)
        assert "It closes before it opens." in text_of(refused)
        saved = membership.post(reverse("admin:chat_desk_add"), form | {"spans-0-closes": "17:00"})
        assert saved.status_code == 302
        moderator = Client()
        moderator.force_login(make_staff("Moderator"))
        assert "Rules of the chat" in text_of(moderator.get(reverse("admin:chat_chatsettings_changelist")))
        word = {"phrase": "darn", "is_active": "on", "note": ""}
        assert moderator.post(reverse("admin:chat_heldword_add"), word).status_code == 302
