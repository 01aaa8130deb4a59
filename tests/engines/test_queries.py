"""The hot queries as T-SQL: the real code runs on the tests' own database, and is compiled for both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from rest_framework.test import APIClient

from accounts.models import Channel, Member, Notification
from accounts.services.outbox import due_notifications, send_notification
from bcc.core.intervals import Interval
from chat.selectors.conversations import conversations_of, lines_of
from chat.selectors.messages import replay
from chat.services.connections import beat
from chat.services.send import Outgoing, send_messages
from chat.services.telling import tell_away
from facilities.models import Closure, Facility
from reservations import services
from reservations.models import Reservation, SlotClaim, Type
from reservations.policies.states import State
from reservations.selectors.availability import MOST_DAYS, get_availability
from reservations.selectors.closures import counting_hits
from reservations.services.claims_audit import check_claims
from reservations.services.expiry import expire_due
from tests.chat.talk import at_desk, identity_of, make_clerk, make_desk, say
from tests.conftest import at_club
from tests.engines.rules import refused_in_statement
from tests.engines.tsql import MOST_PARAMETERS, NeedsServerError, Statement, insert, select, translated
from tests.factories import make_facility
from tests.reservations.bookings import STAFF, book, wish_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(sql_server: Any) -> Iterator[list[Statement]]:
    """What was sent, as T-SQL. However a test ends, SQL Server must take each of them."""
    with translated(sql_server) as statements:
        yield statements
    assert statements
    for statement in statements:
        assert_taken(statement)


def assert_taken(statement: Statement) -> None:
    assert list(refused_in_statement(statement.sql)) == []
    assert len(statement.params) < MOST_PARAMETERS
    assert statement.sql.count("%s") == len(statement.params)


def about(said: list[Statement], verb: str, table: str) -> list[str]:
    """The statements that do ``verb`` to a table first of all."""
    pattern = re.compile(rf"^(?:SET NOCOUNT (?:ON|OFF);? )?{verb}\b[^\[]*\[{table}\]")
    return [one.sql for one in said if pattern.match(one.sql)]


class TestAvailability:
    def test_loads_what_is_taken_in_one_bounded_query(
        self, said: list[Statement], court: Facility, owner: Member, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        said.clear()
        first = now.date()
        get_availability(
            facility_id=court.public_id,
            member_id=owner.pk,
            first=first,
            last=first + timedelta(days=MOST_DAYS - 1),
            party=None,
            now=now,
        )
        (taken,) = about(said, "SELECT DISTINCT", "reservations_slotclaim")
        assert "INNER JOIN [reservations_reservation]" in taken
        assert "ORDER BY" not in taken
        (standing,) = about(said, "SELECT", "accounts_member")
        assert "(SELECT TOP 1 U0.[until]" in standing
        assert max(len(one.params) for one in said) < 50


class TestReservationList:
    def test_seeks_by_key_and_never_skips_rows(
        self,
        said: list[Statement],
        court: Facility,
        owner: Member,
        client_of: Any,
        now: datetime,
        travel: Any,
    ) -> None:
        for hour in (9, 11, 13):
            book(owner, wish_for(court, hour=hour), now=now)
        client: APIClient = client_of(owner)
        said.clear()
        page = client.get("/api/v1/reservations", {"page_size": 1}).json()
        assert client.get(page["next"]).status_code == 200
        first, second = about(said, "SELECT TOP 2", "reservations_reservation")
        for sql in (first, second):
            assert "OFFSET" not in sql
            assert re.search(r"ORDER BY (?:\[reservations_reservation\]\.\[starts_at\]|11) \w+, ", sql)
        assert "[starts_at] >= %s" in second or "[starts_at] <= %s" in second

    def test_pages_of_the_admin_are_fetched_by_offset(self, sql_server: Any) -> None:
        found = select(sql_server, Reservation.objects.order_by("-starts_at", "-pk")[100:200])
        assert_taken(found)
        assert found.sql.endswith("OFFSET 100 ROWS FETCH FIRST 100 ROWS ONLY")


class TestBooking:
    def test_locks_by_update_and_inserts(
        self, said: list[Statement], court: Facility, owner: Member, now: datetime
    ) -> None:
        reservation = book(owner, wish_for(court), now=now)
        (membership,) = about(said, "UPDATE", "accounts_membership")
        assert membership == (
            "SET NOCOUNT OFF; UPDATE [accounts_membership] SET [lock_version] = "
            "([accounts_membership].[lock_version] + %s) WHERE [accounts_membership].[id] = %s"
        )
        assert len(about(said, "UPDATE", "facilities_space")) == 1
        (row,) = about(said, "INSERT INTO", "reservations_reservation")
        assert row.endswith("SELECT CAST(SCOPE_IDENTITY() AS bigint)")
        assert about(said, "INSERT INTO", "reservations_slotclaim")
        order = [one.sql for one in said]
        assert order.index(membership) < order.index(about(said, "UPDATE", "facilities_space")[0])
        assert order.index(about(said, "UPDATE", "facilities_space")[0]) < order.index(row)
        assert reservation.claims.count() > 0

    def test_of_many_cells_stays_under_the_limit_of_parameters(self, sql_server: Any, now: datetime) -> None:
        """A day of a place with 100 lanes, cell by cell, all taken at once."""
        hall = make_facility("Hall", lanes=100)
        day = Interval(at_club(2, 8), at_club(2, 20))
        with translated(sql_server) as said:
            services.block_facility(
                facility_id=hall.pk, interval=day, type=Type.EVENT, title="Fair", by=STAFF, now=now
            )
        for one in said:
            assert_taken(one)
        # The batches above end where the real database's do; these are SQL Server's own.
        claims = list(SlotClaim.objects.order_by("pk"))
        assert len(claims) == 4_800
        batches = insert(sql_server, claims)
        assert sum(len(one.params) for one in batches) == 4 * len(claims)
        assert max(len(one.params) for one in batches) > 1_000
        for one in batches:
            assert_taken(one)


class TestExpiry:
    def test_searches_by_the_deadline_and_moves_by_compare_and_set(
        self, said: list[Statement], court: Facility, owner: Member, now: datetime
    ) -> None:
        reservation = book(owner, wish_for(court), now=now)
        Reservation.objects.filter(pk=reservation.pk).update(state=State.HELD, expires_at=now)
        said.clear()
        assert expire_due(now=now + timedelta(minutes=1)) == 1
        search = about(said, "SELECT", "reservations_reservation")[0]
        # The filtered index holds these states and is sought by the deadline.
        assert "[expires_at] <= %s AND [reservations_reservation].[state] IN (%s, %s, %s)" in search
        (move,) = about(said, "UPDATE", "reservations_reservation")
        assert "[reservations_reservation].[version] = %s" in move.partition(" WHERE ")[2]
        assert about(said, "DELETE FROM", "reservations_slotclaim")


class TestOutbox:
    def test_claims_with_a_lease(
        self, said: list[Statement], court: Facility, owner: Member, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        Notification.objects.update(state=Notification.State.PENDING, send_at=now, channel=Channel.IN_APP)
        said.clear()
        (public_id, *_) = due_notifications(now=now)
        assert send_notification(public_id=public_id, now=now)
        (due,) = about(said, "SELECT TOP 100", "accounts_notification")
        assert due.endswith(
            "ORDER BY [accounts_notification].[send_at] ASC, [accounts_notification].[id] ASC"
        )
        lease = about(said, "UPDATE", "accounts_notification")[0]
        condition = lease.partition(" WHERE ")[2]
        assert "[attempts] = %s" in condition
        assert "[state] IN (%s, %s)" in condition


class TestChat:
    def test_numbers_by_update_and_inserts_what_waits_together(
        self, said: list[Statement], owner: Member, now: datetime
    ) -> None:
        thread = at_desk(make_desk(), owner, now)
        said.clear()
        send_messages(
            asks=[
                Outgoing(
                    sender=identity_of(owner), conversation=thread.public_id, client_id=uuid4(), body="x"
                )
                for _ in range(3)
            ],
            now=now,
        )
        (number,) = about(said, "UPDATE", "chat_conversation")
        assert "[last_seq] = ([chat_conversation].[last_seq] + %s)" in number
        assert len(about(said, "INSERT INTO", "chat_message")) == 1
        assert max(len(one.params) for one in said) < 60

    def test_replays_lists_and_tells_in_bounded_queries(
        self, said: list[Statement], owner: Member, now: datetime
    ) -> None:
        thread = at_desk(make_desk(), owner, now)
        say(thread, make_clerk(), now=now)
        said.clear()
        assert replay({thread.public_id: 0})[thread.public_id].upto == 1
        assert lines_of(list(conversations_of(identity_of(owner).user_id)), 1)
        assert tell_away(now=now + timedelta(minutes=1)) in (0, 1)
        assert beat(process="p", active={}, loads={}, now=now) is False
        assert len(said) < 40


class TestReports:
    def test_of_closures_and_claims(self, said: list[Statement], court: Facility, now: datetime) -> None:
        Closure.objects.create(facility=court, starts_at=now, ends_at=now + timedelta(days=1))
        counted: Any = counting_hits(Closure.objects.order_by("pk"), now=now)
        assert list(counted.values_list("hits", flat=True)) == [0]
        assert check_claims(now=now).is_clean
        assert list(Reservation.objects.hit_by_standing(now).order_by("pk")) == []


class TestTranslated:
    """Planted: what the fixture looks for is noticed where it stands."""

    def test_says_what_the_orm_sends(self, sql_server: Any, owner: Member) -> None:
        with translated(sql_server) as said:
            Member.objects.filter(pk=owner.pk).update(first_name=F("last_name"))
            list(Member.objects.order_by("pk")[:3])
            Member.objects.filter(pk__in=[]).first()
        assert [one.sql.split()[0] for one in said] == ["SET", "SELECT"]

    def test_shows_a_list_that_is_too_long(self, sql_server: Any) -> None:
        halves = Member.objects.filter(pk__in=range(1_500), membership_id__in=range(1_500))
        with pytest.raises(AssertionError):
            assert_taken(select(sql_server, halves))
        # A longer one goes through a temporary table, which takes a server to make.
        with pytest.raises(NeedsServerError):
            select(sql_server, Member.objects.filter(pk__in=range(3_000)))

    def test_shows_a_lock_that_sql_server_has_not(self, sql_server: Any) -> None:
        found = select(sql_server, Member.objects.select_for_update().filter(pk=1))
        assert "WITH (ROWLOCK, UPDLOCK)" in found.sql
        assert_taken(found)
        with pytest.raises(AssertionError):
            assert_taken(Statement(f"{found.sql} FOR UPDATE", found.params))
