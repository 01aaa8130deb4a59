from __future__ import annotations

from datetime import datetime

import orjson
import pytest

from accounts.models import Member
from accounts.services.personal_data import anonymise_member, export_of
from chat.models import Attachment, ChatProfile, Conversation, Message
from documents.models import Image
from tests.chat.talk import at_desk, make_clerk, make_desk, make_image, say, willing

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(owner: Member, now: datetime) -> Conversation:
    return at_desk(make_desk(), owner, now)


class TestExport:
    def test_holds_what_the_member_wrote_and_nothing_of_others(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        say(thread, owner, "Mine.", now=now)
        say(thread, make_clerk(), "The desk's.", now=now)
        copy = export_of(owner)
        assert [one["body"] for one in copy["chat_messages"]] == ["Mine."]
        orjson.dumps(copy, default=str)


class TestAnonymise:
    def test_empties_the_messages_and_leaves_their_places(
        self, thread: Conversation, owner: Member, now: datetime
    ) -> None:
        assert owner.user is not None
        willing(owner)
        image = make_image(owner.user, now)
        say(thread, owner, "Look.", attachments=(image.public_id,), now=now)
        say(thread, make_clerk(), "Fine.", now=now)
        anonymise_member(member=owner, now=now)
        theirs, answer = Message.objects.filter(type=Message.Type.TEXT).order_by("seq")
        assert (theirs.body, theirs.deleted_at) == ("", now)
        assert (answer.body, answer.deleted_at) == ("Fine.", None)
        # Who is offline now learns of it by the number of the change.
        assert theirs.change_seq > answer.seq
        assert not Attachment.objects.exists()
        assert not Image.objects.exists()
        assert not ChatProfile.objects.filter(user=owner.user_id).exists()
