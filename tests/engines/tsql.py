"""T-SQL without a server: a wrapper of mssql-django that never connects, and what it renders.

Rendered is not run. What is shown here is what the back end would send, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import QuerySet
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler
from django.db.utils import ConnectionHandler

from bcc.core.prepared import PreparedInsert, Statements
from bcc.settings import engines

ALIAS = "sql-server-rendered"
URL = "mssql://bcc:secret@sqlserver.invalid:1433/bcc"
OURS = frozenset({"accounts", "chat", "core", "documents", "facilities", "metrics", "reservations"})
# The statements that one command may carry, less what the client's own driver adds.
MOST_PARAMETERS = 2_100


class NeedsServerError(Exception):
    """The rendering asked the server something."""


def make_wrapper(url: str = URL) -> Any:
    """mssql-django's connection for SQL Server 2022, which raises NeedsServerError instead of connecting."""
    # Its module imports pyodbc, and that libodbc; `make odbc` installs it.
    base = pytest.importorskip("mssql.base", exc_type=ImportError)

    class Rendering(base.DatabaseWrapper):  # type: ignore[name-defined]  # the class of a module that is imported here
        def connect(self) -> NoReturn:
            raise NeedsServerError

        ensure_connection = connect

        def get_autocommit(self) -> bool:
            # Asked of a query that locks: as inside of a transaction.
            return False

    settings = ConnectionHandler({"default": engines.database(url)}).settings["default"]
    wrapper = Rendering(settings, ALIAS)
    # What it would ask the server.
    wrapper.__dict__.update(sql_server_version=2022, to_azure_sql_db=False)
    return wrapper


@contextmanager
def connected(wrapper: Any) -> Iterator[None]:
    """Django finds the wrapper by its alias meanwhile, as expressions and constraints look for it."""
    connections[ALIAS] = wrapper
    try:
        yield
    finally:
        del connections[ALIAS]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One operation of a migration, and the statements that it is on SQL Server."""

    app: str
    migration: str
    operation: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """All migrations. ``unrendered`` are operations that look at the database before they change it;
    ``by_python`` are those that are no SQL at all. Both as "app.migration: operation".
    """

    operations: tuple[Rendered, ...]
    unrendered: tuple[str, ...]
    by_python: tuple[str, ...]

    def statements(self, apps: frozenset[str] | None = None) -> list[str]:
        return [
            statement
            for one in self.operations
            if apps is None or one.app in apps
            for statement in one.statements
        ]


def render_migrations(wrapper: Any) -> Rendering:
    """Every migration of every installed app, from an empty database, in the order of a migrate."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    plan = dict.fromkeys(node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
    state = ProjectState()
    rendered, unrendered, by_python = [], [], []
    for app, name in plan:
        for operation in graph.nodes[app, name].operations:
            said = f"{app}.{name}: {operation.describe()}"
            before = state.clone()
            operation.state_forwards(app, state)
            if not operation.reduces_to_sql:
                by_python.append(said)
                continue
            try:
                statements = render_operation(wrapper, app, operation, before, state)
            except NeedsServerError:
                unrendered.append(said)
                continue
            rendered.append(Rendered(app, name, operation.describe(), statements))
    return Rendering(tuple(rendered), tuple(unrendered), tuple(by_python))


def render_operation(
    wrapper: Any, app: str, operation: Operation, before: ProjectState, after: ProjectState
) -> tuple[str, ...]:
    """The statements of one operation. Raises NeedsServerError where it asks the server first."""
    with wrapper.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards(app, editor, before, after)
    return tuple(editor.collected_sql)


# --- Queries ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    params: tuple[Any, ...]


def select(wrapper: Any, rows: QuerySet[Any, Any]) -> Statement:
    return Statement(*rows.query.get_compiler(connection=wrapper).as_sql())


def insert(wrapper: Any, rows: list[Any]) -> list[Statement]:
    """As ``bulk_create`` sends them: in the batches that the back end asks for."""
    fields = [field for field in type(rows[0])._meta.concrete_fields if not field.primary_key]
    size = wrapper.ops.bulk_batch_size(fields, rows)
    statements = []
    for start in range(0, len(rows), size):
        query: Any = InsertQuery(type(rows[0]))
        query.insert_values(fields, rows[start : start + size])
        statements += [Statement(*one) for one in query.get_compiler(connection=wrapper).as_sql()]
    return statements


@contextmanager
def translated(wrapper: Any) -> Iterator[list[Statement]]:
    """Compile for SQL Server too, meanwhile, whatever Django's ORM sends to the real database.

    So the statements are those of the code that runs, not of a copy of its queries in a test.
    """
    said: list[Statement] = []

    def note(query: Any, **attributes: Any) -> None:
        twin = query.clone().get_compiler(connection=wrapper)
        vars(twin).update(attributes)
        try:
            found = twin.as_sql()
        except EmptyResultSet:  # nothing is sent
            return
        said.extend(Statement(*one) for one in (found if isinstance(found, list) else [found]))

    def read_or_change(self: Any, *args: Any, **kwargs: Any) -> Any:
        note(self.query)
        return send(self, *args, **kwargs)

    def add(self: Any, returning_fields: Any = None) -> Any:
        if len(self.query.objs) == 1:
            note(self.query, returning_fields=returning_fields)
        else:
            # Only SQLite and PostgreSQL return the keys of many rows, and their batches are their own.
            said.extend(insert(wrapper, self.query.objs))
        return send_insert(self, returning_fields)

    def prepared(self: Any, connection: Any, shape: Any, values: Any) -> Any:
        twin = self._compiled(wrapper, shape, values)
        said.append(Statement(twin.sql, tuple(twin.bind(values))))
        return plan(self, connection, shape, values)

    def one(self: Any, row: Any, **kwargs: Any) -> Any:
        said.append(Statement(self._sql(wrapper, 1, returning=True), tuple(self._values(wrapper, row))))
        return send_one(self, row, **kwargs)

    def many(self: Any, rows: Any, **kwargs: Any) -> Any:
        said.extend(Statement(sql, tuple(params)) for sql, params in self.statements(wrapper, rows))
        return send_many(self, rows, **kwargs)

    send, send_insert = SQLCompiler.execute_sql, SQLInsertCompiler.execute_sql
    plan, send_one, send_many = Statements._plan, PreparedInsert.one, PreparedInsert.many
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "execute_sql", read_or_change)
        patch.setattr(SQLInsertCompiler, "execute_sql", add)
        patch.setattr(Statements, "_plan", prepared)
        patch.setattr(PreparedInsert, "one", one)
        patch.setattr(PreparedInsert, "many", many)
        yield said
