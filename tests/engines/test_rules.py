"""The checks of this folder notice what they are for: a planted fault for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import models
from django.db.migrations.operations import RunSQL
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.test.utils import isolate_apps

from tests.engines.rules import refused_in_model, refused_in_run_sql, refused_in_statement

INDEX = "CREATE UNIQUE INDEX [once] ON [club] ([a]) WHERE "


class TestRefusedInStatement:
    @pytest.mark.parametrize(
        "condition",
        [
            "([a] = 1 OR [b] = 2)",
            "[a] > '' OR [b] IS NULL",
            "NOT ([a] = 1)",
            "([a] IS NULL AND NOT ([b] = 1))",
            "NOT ([a] IS NULL)",
            "([a] = 1 AND ([b] = 1 OR [c] = 1))",
            "[a] LIKE 'x%'",
            "[a] NOT IN (1, 2)",
            "[a] BETWEEN 1 AND 2",
            "[a] > [b]",
            "LOWER([a]) = 'x'",
            "[a] IN (SELECT 1)",
            "[at] > SYSDATETIMEOFFSET()",
        ],
    )
    def test_a_filter_that_is_more_than_comparisons(self, condition: str) -> None:
        assert list(refused_in_statement(f"{INDEX}{condition};"))

    @pytest.mark.parametrize(
        "condition",
        [
            "[a] > ''",
            "[a] IS NULL",
            "([a] > '' AND [b] IS NOT NULL)",
            "[state] IN ('HELD', 'OR')",
            "([a] = 1 AND [b] >= -2.5 AND [c] <> N'x')",
            "[a] = 'this OR that'",
        ],
    )
    def test_passes_a_filter_of_comparisons(self, condition: str) -> None:
        assert not list(refused_in_statement(f"{INDEX}{condition};"))

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT [a] FROM [b] LIMIT 5",
            "SELECT [a] FROM [b] ORDER BY [a] ASC NULLS LAST",
            "SELECT [a] FROM [b] FOR UPDATE",
            "SELECT [a] FROM [b] FOR NO KEY UPDATE",
            "SELECT [a] FROM [b] WHERE [c] = true",
            "ALTER TABLE [a] ADD CONSTRAINT [b] UNIQUE ([c]) DEFERRABLE INITIALLY DEFERRED",
            "SELECT [a]::date FROM [b]",
            "SELECT [a] || [b] FROM [c]",
            "SELECT [a] FROM [b] WHERE [c] ILIKE 'x'",
            "SELECT COUNT(*) FILTER (WHERE [a] = 1) FROM [b]",
            "SELECT EXTRACT(EPOCH FROM [a]) FROM [b]",
            "SELECT strftime('x', [a]) FROM [b]",
            "INSERT INTO [a] VALUES (1) RETURNING [b]",
            "INSERT INTO [a] VALUES (1) ON CONFLICT DO NOTHING",
            "CREATE OR REPLACE VIEW v AS SELECT 1 AS one",
            "CREATE TABLE [a] ([b] varbinary(None))",
            "None;",
            "SELECT 1\nGO\n",
            f"CREATE TABLE [{'x' * 129}] ([a] int)",
            "SET NOCOUNT ON; CREATE OR ALTER VIEW v AS SELECT 1 AS one",
        ],
    )
    def test_another_engines_words(self, sql: str) -> None:
        assert list(refused_in_statement(sql))

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT TOP 5 [limit] FROM [true] WHERE [a] = 'LIMIT 5 FOR UPDATE ''true'''",
            "CREATE OR ALTER VIEW v AS SELECT 1 AS one",
            "ALTER TABLE [a] ADD CONSTRAINT [b] CHECK (NOT ([c] = 1) OR [d] = 0)",
        ],
    )
    def test_passes_t_sql(self, sql: str) -> None:
        assert not list(refused_in_statement(sql))


class TestRefusedInRunSql:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE a SET b = 1; UPDATE a SET c = 1",
            ["UPDATE a SET b = 1", "UPDATE a SET c = 1; UPDATE a SET d = 1;"],
            [("UPDATE a SET b = %s; UPDATE a SET c = 1", [1])],
            "CREATE OR ALTER VIEW v AS SELECT 1 AS one\nGO",
            "UPDATE a SET b = 1;\ngo\nUPDATE a SET c = 1",
        ],
    )
    def test_more_than_one_statement(self, sql: Any) -> None:
        assert list(refused_in_run_sql(RunSQL(sql)))
        assert list(refused_in_run_sql(RunSQL(RunSQL.noop, reverse_sql=sql)))

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE a SET b = 1;",
            ["UPDATE a SET b = ';'", ("UPDATE a SET c = %s", [1])],
            "UPDATE a SET b = 1 -- first; then the next",
            "CREATE OR ALTER PROCEDURE p AS BEGIN SET NOCOUNT ON; SELECT 1; END",
            RunSQL.noop,
        ],
    )
    def test_passes_one_statement_an_item(self, sql: Any) -> None:
        assert not list(refused_in_run_sql(RunSQL(sql)))


@contextmanager
def planted(**options: Any) -> Iterator[type[models.Model]]:
    """A model outside of the project's own, with these options of its Meta."""
    with isolate_apps("bcc.core"):
        meta = type("Meta", (), {"app_label": "core", **options})

        class Planted(models.Model):
            a = models.IntegerField()
            b = models.IntegerField(null=True)
            c = models.CharField(max_length=900)
            d = models.TextField()
            Meta = meta

            def __str__(self) -> str:
                return "planted"

        yield Planted


def unique(**options: Any) -> dict[str, Any]:
    return {"constraints": [models.UniqueConstraint(name="once", **options)]}


@pytest.mark.filterwarnings("ignore:Model 'core.planted' was already registered:RuntimeWarning")
class TestRefusedInModel:
    @pytest.mark.parametrize(
        "options",
        [
            unique(fields=["a"], condition=Q(b=1) | Q(b=2)),
            unique(fields=["a"], condition=~Q(b=1)),
            unique(fields=["a"], condition=Q(b=1) & ~Q(c="")),
            unique(fields=["a"], condition=Q(b=1) & (Q(c="") | Q(d=""))),
            unique(fields=["a"], condition=Q(c__startswith="x")),
            unique(fields=["a"], condition=Q(a__gt=F("b"))),
            unique(fields=["a", "b"]),
            unique(fields=["a", "b"], condition=Q(a=1)),
            unique(fields=["a"], nulls_distinct=False),
            unique(fields=["a"], deferrable=models.Deferrable.DEFERRED),
            {"constraints": [models.UniqueConstraint(Lower("c"), name="once")]},
            {"unique_together": [("a", "b")]},
            {"indexes": [models.Index(fields=["a"], condition=Q(a=1) | Q(b=1), name="found")]},
            {"indexes": [models.Index(fields=["a"], condition=~Q(b=1), name="found")]},
            {"indexes": [models.Index(Lower("c"), name="found")]},
            {"indexes": [models.Index(fields=["d"], name="found")]},
            {"indexes": [models.Index(fields=["a", "c"], name="found")]},
            unique(fields=["c"]),
        ],
    )  # fmt: skip
    def test_what_is_refused_or_left_out(self, options: dict[str, Any]) -> None:
        with planted(**options) as model:
            assert list(refused_in_model(model))

    @pytest.mark.parametrize(
        "options",
        [
            {},
            unique(fields=["a"], condition=Q(b__isnull=False, c__gt="")),
            unique(fields=["b"]),
            unique(fields=["a", "b"], condition=Q(b__isnull=False)),
            unique(fields=["a"], condition=Q(c__in=["x", "y"])),
            {"indexes": [models.Index(fields=["a", "-b"], name="found")]},
            {"constraints": [models.CheckConstraint(condition=~Q(a=1) | Q(b=1), name="either")]},
        ],
    )
    def test_passes_what_is_taken(self, options: dict[str, Any]) -> None:
        with planted(**options) as model:
            assert not list(refused_in_model(model))

    def test_a_uuid_as_primary_key(self) -> None:
        with isolate_apps("bcc.core"):

            class Keyed(models.Model):
                id = models.UUIDField(primary_key=True)

                class Meta:
                    app_label = "core"

                def __str__(self) -> str:
                    return "keyed"

            assert list(refused_in_model(Keyed))
