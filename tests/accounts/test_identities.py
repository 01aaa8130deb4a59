from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisDownError

from accounts.models import Device, Member, RevocationEpoch, Session, User
from accounts.services import epoch, identities
from accounts.services.identities import SessionEndedError, forget_identities, identify, identify_session
from accounts.services.sessions import open_session, revoke_session
from accounts.services.tokens import TokenInvalidError, Tokens, TokenTooOldError
from tests.factories import make_session


@pytest.fixture
def tokens(user: User, trusted: Device, now: datetime) -> Tokens:
    return open_session(user=user, device=trusted, now=now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The process's own clock, in seconds, as a list of one."""
    at = [1000.0]
    for module in (identities, epoch):
        monkeypatch.setattr(module.time, "monotonic", lambda: at[0])
    epoch.forget()
    return at


class TestIdentify:
    def test_a_cold_token_is_one_query_and_a_warm_one_none(
        self, tokens: Tokens, owner: Member, now: datetime, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            me = identify(token=tokens.access, now=now)
        assert (me.user_id, me.member_id, me.membership_id) == (owner.user_id, owner.pk, owner.membership_id)
        assert me.member_public_id == owner.public_id
        assert me.session_id == Session.objects.get().public_id
        assert me.permissions == frozenset()
        with django_assert_num_queries(0):
            assert identify(token=tokens.access, now=now) is me

    def test_staff_cost_one_more_and_have_no_member(
        self, front_desk: User, now: datetime, django_assert_num_queries: Any
    ) -> None:
        tokens = open_session(user=front_desk, device=make_session(front_desk, now=now).device, now=now)
        with django_assert_num_queries(2):
            me = identify(token=tokens.access, now=now)
        assert (me.is_staff, me.member_id, me.membership_id) == (True, None, None)
        assert me.has_perm("reservations.work_the_desk")
        assert not me.has_perm("reservations.waive_cost")

    def test_a_superuser_holds_everything_and_a_direct_grant_counts(self, db: None, now: datetime) -> None:
        boss = User.objects.create_superuser("boss")
        tokens = open_session(user=boss, device=make_session(boss, now=now).device, now=now)
        assert identify(token=tokens.access, now=now).has_perm("reservations.waive_cost")

    def test_permissions_of_somebody_who_is_not_staff_are_worth_nothing(
        self, front_desk: User, now: datetime
    ) -> None:
        User.objects.filter(pk=front_desk.pk).update(is_staff=False)
        tokens = open_session(user=front_desk, device=make_session(front_desk, now=now).device, now=now)
        assert identify(token=tokens.access, now=now).permissions == frozenset()

    @pytest.mark.parametrize("fate", ["deleted", "inactive", "version", "ended", "expired", "swapped"])
    def test_is_a_refusal_and_no_failure_for_who_is_gone(
        self, tokens: Tokens, user: User, now: datetime, fate: str, stranger: Member
    ) -> None:
        if fate == "deleted":
            user.delete()
        elif fate == "inactive":
            User.objects.update(is_active=False)
        elif fate == "version":
            User.objects.update(token_version=2)
        elif fate == "ended":
            Session.objects.update(ended_at=now)
        elif fate == "expired":
            Session.objects.update(expires_at=now)
        else:
            Session.objects.update(user=stranger.user)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_a_refresh_token_is_none(self, tokens: Tokens, now: datetime) -> None:
        with pytest.raises(TokenInvalidError):
            identify(token=tokens.refresh, now=now)

    def test_a_warm_token_expires_to_the_second(self, tokens: Tokens, now: datetime) -> None:
        until = tokens.access_expires_at
        identify(token=tokens.access, now=now)
        identify(token=tokens.access, now=until - timedelta(seconds=1))
        with pytest.raises(TokenTooOldError):
            identify(token=tokens.access, now=until)
        forget_identities()
        with pytest.raises(TokenTooOldError):
            identify(token=tokens.access, now=until)

    def test_is_looked_up_again_after_a_minute(
        self, tokens: Tokens, now: datetime, clock: Any, django_assert_num_queries: Any
    ) -> None:
        identify(token=tokens.access, now=now)
        clock[0] += 59.9
        with django_assert_num_queries(0):
            identify(token=tokens.access, now=now)
        clock[0] += 0.2
        with django_assert_num_queries(1):
            identify(token=tokens.access, now=now)

    def test_remembers_so_many_and_drops_the_oldest(
        self, user: User, trusted: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identities, "MAX_KEPT", 3)
        for _ in range(5):
            identify(token=open_session(user=user, device=trusted, now=now).access, now=now)
        assert len(identities._checked) == 3


class TestIdentifySession:
    def test_is_who_its_token_stands_for(self, tokens: Tokens, now: datetime) -> None:
        me = identify(token=tokens.access, now=now)
        assert identify_session(session=me.session_id, now=now) == me

    @pytest.mark.parametrize("fate", ["deleted", "inactive", "ended", "expired"])
    def test_refuses_what_is_over_without_remembering(
        self, tokens: Tokens, user: User, now: datetime, fate: str
    ) -> None:
        session = Session.objects.get()
        identify_session(session=session.public_id, now=now)
        if fate == "deleted":
            user.delete()
        elif fate == "inactive":
            User.objects.update(is_active=False)
        elif fate == "ended":
            Session.objects.update(ended_at=now)
        else:
            Session.objects.update(expires_at=now)
        with pytest.raises(SessionEndedError):
            identify_session(session=session.public_id, now=now)


@pytest.mark.django_db(transaction=True)
class TestRevocationEpoch:
    def test_the_process_that_moves_it_drops_its_own_at_once(self, tokens: Tokens, now: datetime) -> None:
        me = identify(token=tokens.access, now=now)
        revoke_session(public_id=me.session_id, now=now)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_another_process_follows_within_a_second(self, tokens: Tokens, now: datetime, clock: Any) -> None:
        identify(token=tokens.access, now=now)
        Session.objects.update(ended_at=now)
        epoch.cache.set(epoch.KEY, "moved elsewhere", 60)
        identify(token=tokens.access, now=now)
        clock[0] += 1.0
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_a_mark_lost_by_the_cache_counts_as_moved(
        self, tokens: Tokens, now: datetime, clock: Any, django_assert_num_queries: Any
    ) -> None:
        identify(token=tokens.access, now=now)
        epoch.cache.clear()
        clock[0] += 1.0
        with django_assert_num_queries(1):
            identify(token=tokens.access, now=now)

    def test_the_row_answers_while_the_cache_is_away(
        self,
        tokens: Tokens,
        now: datetime,
        clock: Any,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_num_queries: Any,
    ) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise RedisDownError

        monkeypatch.setattr(epoch, "cache", type("Away", (), {"get": away, "set": away, "add": away})())
        epoch.forget()
        with django_assert_num_queries(2):
            me = identify(token=tokens.access, now=now)
        with django_assert_num_queries(0):
            identify(token=tokens.access, now=now)
        clock[0] += 1.0
        with django_assert_num_queries(1):
            identify(token=tokens.access, now=now)
        revoke_session(public_id=me.session_id, now=now)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_another_process_follows_the_row_while_the_cache_is_away(
        self, tokens: Tokens, now: datetime, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise RedisDownError

        monkeypatch.setattr(epoch, "cache", type("Away", (), {"get": away, "set": away, "add": away})())
        epoch.forget()
        identify(token=tokens.access, now=now)
        Session.objects.update(ended_at=now)
        RevocationEpoch.move()
        clock[0] += 1.0
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_a_cache_that_keeps_nothing_is_like_one_that_is_away(
        self, tokens: Tokens, now: datetime, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        empty = type("Empty", (), {"get": lambda *_: None, "add": lambda *_: True})()
        monkeypatch.setattr(epoch, "cache", empty)
        epoch.forget()
        assert epoch.current_mark()[1] == f"row-{RevocationEpoch.current_number()}"

    def test_what_was_read_before_the_move_is_not_kept_after_it(
        self, tokens: Tokens, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thread that read the row just before the end, and remembers it just after."""
        find: Callable[..., Any] = identities.find_standing

        def find_and_lose(session: Any) -> Any:
            found = find(session)
            revoke_session(public_id=session, now=now)
            return found

        monkeypatch.setattr(identities, "find_standing", find_and_lose)
        identify(token=tokens.access, now=now)
        monkeypatch.setattr(identities, "find_standing", find)
        with pytest.raises(SessionEndedError):
            identify(token=tokens.access, now=now)

    def test_a_mark_read_before_the_move_is_not_kept_after_it(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        epoch.forget()
        read: Callable[[], str] = epoch._read_mark

        def read_and_move() -> str:
            mark = read()
            epoch.move()
            return mark

        monkeypatch.setattr(epoch, "_read_mark", read_and_move)
        before = epoch.current_mark()
        monkeypatch.setattr(epoch, "_read_mark", read)
        assert epoch.current_mark() != before

    def test_the_number_only_grows_and_its_row_is_made_when_needed(self, db: None) -> None:
        RevocationEpoch.objects.all().delete()
        assert RevocationEpoch.current_number() == 1
        RevocationEpoch.move()
        RevocationEpoch.move()
        assert RevocationEpoch.current_number() == 3
