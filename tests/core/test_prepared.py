"""Statements compiled once, against the ORM that they stand for."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import Channel, Member, Notification
from bcc.core.models import IdempotencyKey
from bcc.core.prepared import Prepared, PreparedError, PreparedInsert, PreparedUpdate
from bcc.core.running import inserts_together, run_sql, table_of
from facilities.models import Space
from tests.factories import MemberFactory, make_space

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

NOW = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
FIELDS = ("pk", "public_id", "created_at", "status", "reply", "route")


def make_key(route: str = "a.route", *, at: datetime = NOW, reply: bytes = b"") -> IdempotencyKey:
    return IdempotencyKey.objects.create(
        principal=uuid.uuid4(), route=route, key="k", body_sha256="0" * 64, reply=reply, created_at=at
    )


KEYS = Prepared(
    lambda *, routes, since, principal: (
        IdempotencyKey.objects.filter(route__in=routes, created_at__gte=since)
        .exclude(principal=principal)
        .order_by("pk")
        .values_list("pk", "principal", "created_at", "reply", "route")
    ),
    routes=(str,),
    since=datetime,
    principal=uuid.UUID,
)


class TestPrepared:
    def test_answers_as_the_orm_does(self) -> None:
        rows = [
            make_key(f"route.{n}", at=NOW + timedelta(microseconds=n), reply=b"\x00\xff") for n in range(5)
        ]
        since = NOW + timedelta(microseconds=1)
        for routes in (["route.1", "route.2", "route.0"], ["route.4"], ["none"]):
            found = KEYS.rows(routes=routes, since=since, principal=rows[2].principal)
            expected = (
                IdempotencyKey.objects.filter(route__in=routes, created_at__gte=since)
                .exclude(principal=rows[2].principal)
                .order_by("pk")
                .values_list("pk", "principal", "created_at", "reply", "route")
            )
            assert [(*row[:3], bytes(row[3]), row[4]) for row in found] == [
                (*row[:3], bytes(row[3]), row[4]) for row in expected
            ]
            assert all(row[2].utcoffset() == timedelta(0) for row in found)

    def test_asks_once_and_not_at_all_for_an_empty_list(self) -> None:
        row = make_key()
        values: dict[str, Any] = {"since": NOW, "principal": uuid.uuid4()}
        with CaptureQueriesContext(connection) as said:
            assert (
                KEYS.rows(routes=["a.route"], **values)
                == [(row.pk, row.principal, NOW, bytes(row.reply), "a.route")]
                or connection.vendor != "sqlite"
            )
            assert KEYS.rows(routes=[], **values) == []
        assert len(said) == 1

    def test_takes_dates_choices_and_shapes(self, db: None) -> None:
        young, old = (
            MemberFactory.create(birth_date=date(2010, 1, 1)),
            MemberFactory.create(birth_date=date(1970, 12, 31)),
        )

        def build(order: str, size: int, *, born: date, relation: str) -> QuerySet[Any, Any]:
            rows = Member.objects.filter(birth_date__lte=born, relation=relation)
            return rows.order_by(order).values_list("pk", "birth_date", "membership__standing")[:size]

        statement = Prepared(build, born=date, relation=str)
        values: dict[str, Any] = {"born": date(2010, 1, 1), "relation": young.relation}
        assert [row[:2] for row in statement.rows("birth_date", 9, **values)] == [
            (old.pk, old.birth_date),
            (young.pk, young.birth_date),
        ]
        assert [row[0] for row in statement.rows("-birth_date", 1, **values)] == [young.pk]
        assert statement.row("-birth_date", 1, born=date(1900, 1, 1), relation=young.relation) is None

    def test_keeps_what_is_no_parameter(self) -> None:
        make_key("with percent % and ? signs")
        statement = Prepared(
            lambda *, since: IdempotencyKey.objects.filter(
                route__contains="% and ?", created_at__gte=since
            ).values_list("route"),
            since=datetime,
        )
        for _again in range(3):
            assert statement.rows(since=NOW) == [("with percent % and ? signs",)]

    def test_refuses_a_parameter_that_is_not_in_the_sql(self) -> None:
        statement = Prepared(
            lambda *, since, unused: IdempotencyKey.objects.filter(created_at__gte=since).values_list("pk"),
            since=datetime,
            unused=int,
        )
        with pytest.raises(PreparedError, match="unused"):
            statement.rows(since=NOW, unused=1)

    def test_refuses_a_kind_that_it_does_not_know(self) -> None:
        with pytest.raises(PreparedError, match="float"):
            Prepared(lambda *, share: Member.objects.filter(pk=share).values_list("pk"), share=float).rows(
                share=1.0
            )

    def test_is_seen_by_who_counts_and_by_nobody_else_alike(self) -> None:
        row = make_key()
        values: dict[str, Any] = {"routes": ["a.route"], "since": NOW, "principal": uuid.uuid4()}
        with CaptureQueriesContext(connection) as said:
            counted = KEYS.rows(**values)
        assert [one["sql"].startswith("SELECT") for one in said] == [True]
        assert (
            [r[:3] for r in KEYS.rows(**values)] == [r[:3] for r in counted] == [(row.pk, row.principal, NOW)]
        )

    def test_fails_in_a_broken_transaction_as_the_orm_does(self) -> None:
        with transaction.atomic():
            transaction.set_rollback(True)
            with pytest.raises(transaction.TransactionManagementError):
                KEYS.rows(routes=["a"], since=NOW, principal=uuid.uuid4())

    def test_raises_djangos_errors(self) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            run_sql(connection, "SELECT nothing FROM nowhere", [], reads=True)


class TestPreparedUpdate:
    def test_changes_and_counts(self) -> None:
        space, other = make_space("One"), make_space("Two")
        statement = PreparedUpdate(
            lambda *, pk, lanes: (
                Space.objects.filter(pk=pk),
                {"lanes": lanes, "lock_version": F("lock_version") + 1},
            ),
            pk=int,
            lanes=int,
        )
        before = space.lock_version
        assert statement.run(pk=space.pk, lanes=7) == 1
        assert statement.run(pk=0, lanes=7) == 0
        space.refresh_from_db()
        assert (space.lanes, space.lock_version) == (7, before + 1)
        assert Space.objects.get(pk=other.pk).lanes == other.lanes

    def test_writes_bytes(self) -> None:
        row = make_key()
        statement = PreparedUpdate(
            lambda *, pk, reply: (IdempotencyKey.objects.filter(pk=pk), {"reply": reply}), pk=int, reply=bytes
        )
        statement.run(pk=row.pk, reply=b"\x00\x01%s?")
        row.refresh_from_db()
        assert bytes(row.reply) == b"\x00\x01%s?"


class TestPreparedInsert:
    def test_writes_every_field_as_the_orm_does(self, owner: Member) -> None:
        assert owner.user is not None
        values: dict[str, Any] = {
            "user": owner.user,
            "channel": Channel.EMAIL,
            "kind": "a_kind",
            "context": {"name": "Ärger % ?", "n": "1"},
            "link": "x",
            "created_at": NOW,
            "send_at": NOW,
            "valid_until": NOW + timedelta(days=1),
        }
        insert = PreparedInsert(Notification)
        ours = Notification(dedupe_key="ours", **values)
        pk = insert.one(ours)
        assert (ours.pk, ours._state.adding) == (pk, False)
        theirs = Notification.objects.create(dedupe_key="theirs", **values)
        skipped = {"id", "public_id", "dedupe_key"}
        for field in Notification._meta.concrete_fields:
            if field.name not in skipped:
                one, other = (
                    getattr(Notification.objects.get(pk=row.pk), field.attname) for row in (ours, theirs)
                )
                assert one == other, field.name
        assert Notification.objects.get(pk=pk).public_id == ours.public_id

    @pytest.mark.parametrize("count", [1, 2, 999, 2_500])
    def test_writes_many(self, count: int) -> None:
        insert = PreparedInsert(IdempotencyKey)
        insert.many(
            [
                IdempotencyKey(
                    principal=uuid.uuid4(), route="many", key=str(n), body_sha256="0" * 64, created_at=NOW
                )
                for n in range(count)
            ]
        )
        assert IdempotencyKey.objects.filter(route="many").count() == count

    def test_leaves_the_constraints_to_the_database(self) -> None:
        row = make_key()
        twin = IdempotencyKey(
            principal=row.principal, route=row.route, key=row.key, body_sha256="1" * 64, created_at=NOW
        )
        for write in (
            PreparedInsert(IdempotencyKey).one,
            lambda one: PreparedInsert(IdempotencyKey).many([one]),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                write(twin)
        assert IdempotencyKey.objects.count() == 1


def key_of(route: str, key: str = "k") -> IdempotencyKey:
    principal = uuid.UUID(int=7)
    return IdempotencyKey(principal=principal, route=route, key=key, body_sha256="0" * 64, created_at=NOW)


def space_of(name: str) -> Space:
    made: Space = make_space(name)
    made.pk, made.public_id, made.name, made.code = None, uuid.uuid4(), f"{name} again", "again"
    return made


def insert_together(*rows: IdempotencyKey, then: Exception | None = None) -> None:
    """Each by itself, in one block, which may raise at its end."""
    with inserts_together():
        for row in rows:
            PreparedInsert(IdempotencyKey).many([row])
        if then is not None:
            raise then


class TestInsertsTogether:
    INSERT = PreparedInsert(IdempotencyKey)
    SPACES = PreparedInsert(Space)

    def inserts(self, said: CaptureQueriesContext) -> int:
        return sum("INSERT" in query["sql"] for query in said.captured_queries)

    def test_are_one_statement_where_the_engine_takes_that(self) -> None:
        space = space_of("Court")
        with CaptureQueriesContext(connection) as said, inserts_together():
            self.INSERT.many([key_of("one"), key_of("two")])
            self.SPACES.many([space])
            self.INSERT.many([key_of("three")])
        assert self.inserts(said) == (1 if connection.vendor == "postgresql" else 3)
        assert set(IdempotencyKey.objects.values_list("route", flat=True)) == {"one", "two", "three"}
        assert Space.objects.filter(name="Court again", public_id=space.public_id).exists()

    def test_of_a_block_of_one_or_none_are_what_they_were(self) -> None:
        with CaptureQueriesContext(connection) as said:
            with inserts_together():
                pass
            with inserts_together():
                self.INSERT.many([key_of("one")])
        (query,) = said.captured_queries
        assert query["sql"].startswith("INSERT")

    def test_are_not_sent_by_a_block_that_raises(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("Elsewhere each leaves at once, and the transaction is what takes it back.")
        with pytest.raises(ValueError, match="no"):
            insert_together(key_of("one"), then=ValueError("no"))
        self.INSERT.many([key_of("two")])
        assert list(IdempotencyKey.objects.values_list("route", flat=True)) == ["two"]

    def test_name_the_table_that_refused_one(self) -> None:
        self.INSERT.many([key_of("one")])
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            insert_together(key_of("two"), key_of("one"))
        if connection.vendor == "postgresql":
            assert table_of(refused.value) == IdempotencyKey._meta.db_table
        assert list(IdempotencyKey.objects.values_list("route", flat=True)) == ["one"]

    def test_leave_before_they_are_more_than_a_statement_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bcc.core.running.MOST_PARAMETERS", 20)
        with CaptureQueriesContext(connection) as said, inserts_together():
            for number in range(6):
                self.INSERT.many([key_of(f"route.{number}")])
        assert IdempotencyKey.objects.count() == 6
        assert self.inserts(said) == (3 if connection.vendor == "postgresql" else 6)
