from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Channel, MessageTemplate
from accounts.services import messages
from accounts.services.messages import (
    MessageKind,
    all_kinds,
    check_text,
    edit_text,
    find_kind,
    forget_edited_texts,
    known_fields,
    preview,
    register,
    render,
    restore_text,
)
from bcc.core.errors import InvalidError

KIND = MessageKind(
    code="test_kind",
    label="Test kind",
    fields={"facility": "Tennis Court 1", "at": "10:00"},
    texts={
        Channel.IN_APP: ("At $at", "$facility is yours at $at."),
        Channel.EMAIL: ("$club: $facility", "See you at $at."),
    },
    channels={Channel.EMAIL: False},
)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_kinds", {**messages._kinds})
    register(KIND)


class TestRegister:
    def test_the_same_one_twice_is_once(self) -> None:
        register(KIND)
        assert find_kind("test_kind") is KIND

    def test_refuses_another_under_the_code(self) -> None:
        other = MessageKind("test_kind", "Other", {}, {Channel.IN_APP: ("a", "b")})
        with pytest.raises(ValueError, match="twice"):
            register(other)

    def test_refuses_a_text_with_a_field_that_is_not_declared(self) -> None:
        wrong = MessageKind("wrong", "Wrong", {"at": "10:00"}, {Channel.EMAIL: ("$when", "$at")})
        with pytest.raises(ValueError, match="when"):
            register(wrong)

    def test_every_declared_kind_renders_with_its_samples(self, db: None) -> None:
        for kind in all_kinds():
            for channel, (subject, body) in kind.texts.items():
                shown = preview(kind, subject=str(subject), body=str(body))
                assert "$" not in shown.subject + shown.body
                assert shown.subject or channel == Channel.SMS

    def test_an_unknown_kind_is_a_key_error(self) -> None:
        with pytest.raises(KeyError):
            find_kind("no_such_kind")


class TestMessageKind:
    def test_goes_by_what_it_has_unless_that_is_off(self) -> None:
        assert KIND.goes_by(Channel.IN_APP)
        assert not KIND.goes_by(Channel.EMAIL)
        assert not KIND.goes_by(Channel.SMS)

    def test_members_choose_all_but_the_list_in_the_app_and_security(self) -> None:
        assert KIND.may_choose(Channel.EMAIL)
        assert not KIND.may_choose(Channel.IN_APP)
        assert not KIND.may_choose(Channel.SMS)
        assert not find_kind("password_changed").may_choose(Channel.EMAIL)


class TestRender:
    def test_fills_the_declared_text(self, db: None, settings: Any) -> None:
        settings.CLUB_NAME = "Test Club"
        text = render(KIND, Channel.EMAIL, {"facility": "Court", "at": "9:00"})
        assert text == ("Test Club: Court", "See you at 9:00.")

    def test_the_edited_text_wins_on_its_channel_alone(self, db: None) -> None:
        edit_text(kind="test_kind", channel=Channel.EMAIL, subject="New", body="$facility")
        forget_edited_texts()
        context = {"facility": "Court", "at": "9:00"}
        assert render(KIND, Channel.EMAIL, context) == ("New", "Court")
        assert render(KIND, Channel.IN_APP, context).subject == "At 9:00"

    def test_reads_the_edited_texts_once(self, db: None, django_assert_num_queries: Any) -> None:
        context = {"facility": "Court", "at": "9:00"}
        with django_assert_num_queries(1):
            render(KIND, Channel.EMAIL, context)
            render(KIND, Channel.IN_APP, context)

    def test_reads_them_again_after_ten_seconds(
        self, db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        at = [1000.0]
        monkeypatch.setattr(messages.time, "monotonic", lambda: at[0])
        context = {"facility": "Court", "at": "9:00"}
        with django_assert_num_queries(2):
            render(KIND, Channel.EMAIL, context)
            at[0] += 10.1
            render(KIND, Channel.EMAIL, context)

    def test_an_old_row_without_a_newer_field_still_goes_out(self, db: None) -> None:
        assert render(KIND, Channel.EMAIL, {}).body == "See you at ."

    @given(st.text())
    def test_no_value_breaks_the_line_of_a_subject_or_is_filled_again(self, value: str) -> None:
        text = messages._filled(messages.Text("$facility", "$facility"), KIND, {"facility": value, "at": ""})
        assert text.body == value
        assert len(text.subject.splitlines()) <= 1


class TestCheckText:
    def test_names_what_is_unknown_and_what_there_is(self) -> None:
        with pytest.raises(InvalidError) as caught:
            check_text(KIND, subject="$when", body="${who} at $at")
        assert {field: pairs[0][0] for field, pairs in caught.value.errors.items()} == {
            "subject": "unknown_field",
            "body": "unknown_field",
        }
        detail = str(caught.value.errors["body"][0][1])
        assert "$who" in detail
        assert "$at, $club, $facility" in detail

    @pytest.mark.parametrize(
        ("body", "code"), [("5 $ a head", "malformed"), ("${at", "malformed"), ("x" * 4001, "too_long")]
    )
    def test_refuses_what_cannot_be_filled(self, body: str, code: str) -> None:
        with pytest.raises(InvalidError) as caught:
            check_text(KIND, subject="", body=body)
        assert caught.value.errors["body"][0][0] == code

    def test_two_dollars_are_the_sign_itself(self) -> None:
        assert preview(KIND, subject="", body="5 $$ for $facility").body == "5 $ for Tennis Court 1"

    def test_every_kind_knows_the_club(self) -> None:
        assert known_fields(KIND) == ["at", "club", "facility"]


class TestEditText:
    def test_is_used_from_the_next_message_on(
        self, db: None, django_capture_on_commit_callbacks: Any
    ) -> None:
        render(KIND, Channel.EMAIL, {"facility": "Court", "at": ""})
        with django_capture_on_commit_callbacks(execute=True):
            edit_text(kind="test_kind", channel=Channel.EMAIL, subject="A", body="B")
        assert render(KIND, Channel.EMAIL, {}) == ("A", "B")

    def test_again_changes_the_same_row(self, db: None) -> None:
        first = edit_text(kind="test_kind", channel=Channel.EMAIL, subject="A", body="B")
        second = edit_text(kind="test_kind", channel=Channel.EMAIL, subject="C", body="D")
        assert first.pk == second.pk
        assert MessageTemplate.objects.get().body == "D"

    @pytest.mark.parametrize(("kind", "channel"), [("none", Channel.EMAIL), ("test_kind", Channel.SMS)])
    def test_refuses_what_there_is_not(self, db: None, kind: str, channel: Channel) -> None:
        with pytest.raises(InvalidError) as caught:
            edit_text(kind=kind, channel=channel, subject="", body="")
        assert caught.value.errors["kind"][0][0] == "unknown_kind"

    def test_refuses_an_unknown_field_and_keeps_the_old_text(self, db: None) -> None:
        edit_text(kind="test_kind", channel=Channel.EMAIL, subject="A", body="B")
        with pytest.raises(InvalidError):
            edit_text(kind="test_kind", channel=Channel.EMAIL, subject="A", body="$nothing")
        assert MessageTemplate.objects.get().body == "B"

    def test_can_be_taken_back(self, db: None, django_capture_on_commit_callbacks: Any) -> None:
        template = edit_text(kind="test_kind", channel=Channel.EMAIL, subject="A", body="B")
        with django_capture_on_commit_callbacks(execute=True):
            restore_text(template=template)
        assert render(KIND, Channel.EMAIL, {"facility": "", "at": "9:00"}).body == "See you at 9:00."
