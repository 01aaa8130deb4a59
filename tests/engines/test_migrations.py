"""The database from its first migration on, as T-SQL. Rendered and read; never run here."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from tests.engines.rules import refused_in_model, refused_in_run_sql, refused_in_statement
from tests.engines.tsql import OURS, NeedsServerError, Rendering

# They look at the table's constraints before they change it, so a server is needed to say what they are.
# mssql-django's own tests cover both kinds; ours have none.
UNRENDERED = {
    "contenttypes.0002_remove_content_type_name: Alter field name on contenttype",
    "contenttypes.0002_remove_content_type_name: Remove field name from contenttype",
    "auth.0010_alter_group_name_max_length: Alter field name on group",
    "auditlog.0002_auto_support_long_primary_keys: Alter field object_id on logentry",
    "auditlog.0015_alter_logentry_changes: Alter field changes on logentry",
    "django_celery_beat.0014_remove_clockedschedule_enabled: Remove field enabled from clockedschedule",
}


def own_models() -> list[type[models.Model]]:
    return [
        model
        for label in sorted(OURS)
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


class TestRendering:
    def test_never_connects(self, sql_server: Any, rendering: Rendering) -> None:
        assert rendering.operations
        assert sql_server.connection is None
        for ask in (sql_server.cursor, sql_server.connect, sql_server.ensure_connection):
            try:
                ask()
            except NeedsServerError:
                continue
            raise AssertionError(f"{ask} reached for a server")

    def test_leaves_out_these_operations_of_others_and_no_more(self, rendering: Rendering) -> None:
        assert set(rendering.unrendered) == UNRENDERED

    def test_leaves_out_nothing_of_ours(self, rendering: Rendering) -> None:
        assert not [one for one in rendering.unrendered if one.partition(".")[0] in OURS]
        assert not [one for one in rendering.by_python if one.partition(".")[0] in OURS]

    def test_reaches_every_migration(self, rendering: Rendering) -> None:
        reached = {(one.app, one.migration) for one in rendering.operations}
        left = {tuple(one.split(": ")[0].split(".")) for one in (*rendering.unrendered, *rendering.by_python)}
        graph = MigrationLoader(None, ignore_no_migrations=True).graph
        empty = {node for node, migration in graph.nodes.items() if not migration.operations}
        assert reached | left | empty == set(graph.nodes)


class TestStatements:
    def test_hold_nothing_that_sql_server_refuses(self, rendering: Rendering) -> None:
        assert [said for sql in rendering.statements() for said in refused_in_statement(sql)] == []

    def test_make_every_table_of_ours(self, rendering: Rendering) -> None:
        made = set(re.findall(r"CREATE TABLE \[(\w+)\]", "\n".join(rendering.statements(OURS))))
        assert made == {model._meta.db_table for model in own_models()}

    def test_make_every_constraint_and_index(self, rendering: Rendering) -> None:
        """mssql-django leaves out what it cannot make without a word."""
        text = "\n".join(rendering.statements(OURS))
        wanted = {
            str(one.name)
            for model in own_models()
            for one in (*model._meta.constraints, *model._meta.indexes)
        }
        assert len(wanted) > 30
        assert {name for name in wanted if f"[{name}]" not in text} == set()

    def test_keep_keys_times_and_marks_in_these_types(self, rendering: Rendering) -> None:
        text = "\n".join(rendering.statements(OURS))
        assert "[id] bigint NOT NULL PRIMARY KEY IDENTITY (1, 1)" in text
        assert "[public_id] char(32) NOT NULL UNIQUE" in text
        assert "[starts_at] datetimeoffset NOT NULL" in text
        assert "nvarchar(max) NOT NULL CONSTRAINT accounts_notification_context" in text
        assert 'CHECK ((ISJSON ("context") = 1))' in text
        assert "[reply] varbinary(max) NOT NULL" in text
        for wrong in ("varbinary(None)", "nvarchar(None)", "uniqueidentifier", " datetime2 ", " text "):
            assert wrong not in text

    def test_guard_double_booking_and_one_code_at_a_time(self, rendering: Rendering) -> None:
        statements = rendering.statements(OURS)
        (claims,) = (one for one in statements if one.startswith("CREATE TABLE [reservations_slotclaim] "))
        assert "CONSTRAINT [reservations_slotclaim_once] UNIQUE ([space_id], [cell_start], [lane])" in claims
        assert (
            "CREATE UNIQUE INDEX [accounts_otp_one_live] ON [accounts_onetimepassword] "
            "([user_id], [purpose]) "
            "WHERE ([consumed_at] IS NULL AND [superseded_at] IS NULL AND [user_id] IS NOT NULL);"
        ) in statements

    def test_have_no_cascade(self, rendering: Rendering) -> None:
        """SQL Server refuses two cascading ways to one table; Django cascades by itself."""
        assert not [sql for sql in rendering.statements() if "ON DELETE" in sql]


class TestModels:
    def test_hold_nothing_that_sql_server_refuses(self) -> None:
        assert [said for model in own_models() for said in refused_in_model(model)] == []


class TestRunSql:
    def test_has_one_statement_an_item(self) -> None:
        graph = MigrationLoader(None, ignore_no_migrations=True).graph
        operations = [
            operation
            for (app, _), migration in graph.nodes.items()
            if app in OURS
            for operation in migration.operations
            if isinstance(operation, RunSQL)
        ]
        assert [said for operation in operations for said in refused_in_run_sql(operation)] == []
