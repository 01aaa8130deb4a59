"""Statements compiled once: the ORM's own SQL for each engine, without its price at each request.

Django builds the SQL of a query anew each time, at 0.3 to 1 ms of CPU; what is asked hundreds of times
a second is compiled at its first use and run with other values from then on. The question stays a
QuerySet, so no SQL is written by hand and each engine gets its own dialect. Parameters are declared
with their types; a compiled statement holds a mark in place of each.

How they are run is in ``running``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

from bcc.core.running import MOST_PARAMETERS, run_sql, waiting_for

# SQL Server takes so many rows of values.
MOST_ROWS: Final = 1_000

_FIRST_INSTANT: Final = datetime(2001, 2, 3, 4, 5, 6, 1, tzinfo=UTC)
_FIRST_DATE: Final = date(1901, 1, 2)
_FIRST_NUMBER: Final = 1_900_000_001

Kind = type | tuple[type]
Adapter = Callable[[Any], Any]


class PreparedError(Exception):
    """A statement cannot be compiled once: a parameter does not appear in its SQL."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """``slots`` are constants, or the adapter, name and position in a list of what goes there."""

    sql: str
    slots: tuple[tuple[Adapter | None, Any, int | None], ...]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...] = ()

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        bound = []
        for adapt, what, place in self.slots:
            if adapt is None:
                bound.append(what)
            elif place is None:
                bound.append(adapt(values[what]))
            else:
                bound.append(adapt(values[what][place]))
        return bound


class Statements:
    """What reading and writing share: plans by engine, shape and length of lists."""

    def __init__(self, build: Callable[..., Any], **kinds: Kind) -> None:
        self._build = build
        self._kinds = kinds
        self._lists = [name for name, kind in kinds.items() if isinstance(kind, tuple)]
        self._plans: dict[Any, _Plan] = {}

    def _plan(
        self, connection: BaseDatabaseWrapper, shape: tuple[Any, ...], values: Mapping[str, Any]
    ) -> _Plan:
        key: Any = (connection.vendor, shape)
        if self._lists:
            key = (connection.vendor, shape, *(len(values[name]) for name in self._lists))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._compiled(connection, shape, values)
        return plan

    def _compiled(
        self, connection: BaseDatabaseWrapper, shape: tuple[Any, ...], values: Mapping[str, Any]
    ) -> _Plan:
        marks: dict[str, Any] = {}
        found: dict[Any, tuple[Adapter, str, int | None]] = {}
        number = 0
        for name, kind in self._kinds.items():
            if isinstance(kind, tuple):
                several = [_mark(kind[0], number + place) for place in range(len(values[name]))]
                for place, mark in enumerate(several):
                    adapt = _adapter(kind[0], connection)
                    found[_key(adapt(mark))] = (adapt, name, place)
                marks[name], number = several, number + len(several)
            else:
                mark, adapt = _mark(kind, number), _adapter(kind, connection)
                found[_key(adapt(mark))] = (adapt, name, None)
                marks[name], number = mark, number + 1
        sql, params, converters = self._as_sql(connection, self._build(*shape, **marks))
        slots = tuple(found.get(_key(param), (None, param, None)) for param in params)
        missing = {name for _adapt, name, _place in found.values()} - {slot[1] for slot in slots if slot[0]}
        if missing:
            raise PreparedError(f"These parameters are not in the SQL: {sorted(missing)}.\n{sql}")
        return _Plan(sql, slots, converters)

    def _as_sql(self, connection: BaseDatabaseWrapper, built: Any) -> tuple[str, Sequence[Any], Any]:
        raise NotImplementedError


class Prepared(Statements):
    """A question. ``build`` gives its ``values_list`` QuerySet, with marks for the declared parameters.

    A parameter is an int, str, UUID, datetime, date or bytes; ``(int,)`` declares a list of them for
    ``__in``, compiled for each length that comes. What changes the SQL itself (an order, a page's size)
    is passed by position, hashable. None is no value: it reads as another SQL.
    """

    def rows(self, *shape: Any, using: str = DEFAULT_DB_ALIAS, **values: Any) -> list[tuple[Any, ...]]:
        """The rows as tuples, converted as the ORM would. One query; none for an empty list."""
        if self._lists and not all(values[name] for name in self._lists):
            return []
        connection = connections[using]
        plan = self._plan(connection, shape, values)
        rows: list[tuple[Any, ...]] = run_sql(connection, plan.sql, plan.bind(values), reads=True)
        if not plan.converters:
            return rows
        converted = []
        for row in rows:
            cells = list(row)
            for index, convert in plan.converters:
                if cells[index] is not None:
                    cells[index] = convert(cells[index])
            converted.append(tuple(cells))
        return converted

    def row(self, *shape: Any, using: str = DEFAULT_DB_ALIAS, **values: Any) -> tuple[Any, ...] | None:
        """The first row, None where there is none."""
        rows = self.rows(*shape, using=using, **values)
        return rows[0] if rows else None

    def _as_sql(self, connection: BaseDatabaseWrapper, built: QuerySet[Any]) -> tuple[str, Any, Any]:
        compiler = built.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [column[0] for column in compiler.select]
        if any(isinstance(column.output_field, models.JSONField) for column in columns):
            raise PreparedError("JSON is read by the ORM: drivers decode it, and fields do so again.")
        converters = compiler.get_converters(columns)
        return (
            sql,
            params,
            tuple(
                (index, _converter(chain, expression, connection))
                for index, (chain, expression) in converters.items()
            ),
        )


class PreparedUpdate(Statements):
    """A change: ``build`` gives a QuerySet and the values to set, with marks as ``Prepared`` takes them."""

    def run(self, *shape: Any, using: str = DEFAULT_DB_ALIAS, **values: Any) -> int:
        """The number of rows that it met."""
        connection = connections[using]
        plan = self._plan(connection, shape, values)
        met: int = run_sql(connection, plan.sql, plan.bind(values), reads=False)
        return met

    def _as_sql(
        self, connection: BaseDatabaseWrapper, built: tuple[QuerySet[Any], Mapping[str, Any]]
    ) -> tuple[str, Any, Any]:
        rows, changes = built
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(changes)  # type: ignore[attr-defined]  # of UpdateQuery, which chain() made
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, params, ()


class PreparedInsert:
    """New rows of one model. Like ``bulk_create``: every field is written, no signal is sent."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model
        self._plans: dict[tuple[str, int, bool], str] = {}
        self._preparers: dict[str, list[tuple[str, Adapter | None]]] = {}

    def one(self, row: models.Model, *, using: str = DEFAULT_DB_ALIAS) -> int:
        """Insert ``row``; its new primary key, which it gets as well."""
        connection = connections[using]
        sql = self._sql(connection, 1, returning=True)
        values = self._values(connection, row)
        if connection.features.can_return_columns_from_insert:
            (pk,) = run_sql(connection, sql, values, reads=True)[0]
        else:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                key: Any = self._model._meta.pk
                pk = connection.ops.last_insert_id(cursor, self._model._meta.db_table, key.column)
        row.pk = pk
        row._state.adding, row._state.db = False, using
        return int(pk)

    def many(self, rows: Sequence[models.Model], *, using: str = DEFAULT_DB_ALIAS) -> None:
        """Insert ``rows`` in as few statements as the engine takes. They do not learn their keys."""
        connection = connections[using]
        waiting = waiting_for(connection)
        for sql, params in self.statements(connection, rows):
            if waiting is None:
                run_sql(connection, sql, params, reads=False)
            else:
                waiting.add(sql, params)

    def statements(
        self, connection: BaseDatabaseWrapper, rows: Sequence[models.Model]
    ) -> Iterator[tuple[str, list[Any]]]:
        """What ``many`` sends: as many rows at once as the engine takes parameters, a thousand at most."""
        fields = self._concrete()
        size = connection.ops.bulk_batch_size(fields, rows)
        size = max(1, min(size, MOST_PARAMETERS // len(fields), MOST_ROWS))
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            params = [value for row in some for value in self._values(connection, row)]
            yield self._sql(connection, len(some), returning=False), params

    def _fields(self, connection: BaseDatabaseWrapper) -> list[tuple[str, Adapter | None]]:
        found = self._preparers.get(connection.vendor)
        if found is None:
            found = self._preparers[connection.vendor] = [
                (field.attname, _preparer(field, connection)) for field in self._concrete()
            ]
        return found

    def _concrete(self) -> list[models.Field[Any, Any]]:
        return [field for field in self._model._meta.concrete_fields if not field.primary_key]

    def _values(self, connection: BaseDatabaseWrapper, row: models.Model) -> list[Any]:
        values = []
        for name, prepare in self._fields(connection):
            value = getattr(row, name)
            values.append(value if prepare is None or value is None else prepare(value))
        return values

    def _sql(self, connection: BaseDatabaseWrapper, count: int, *, returning: bool) -> str:
        key = (connection.vendor, count, returning)
        sql = self._plans.get(key)
        if sql is None:
            sql = self._plans[key] = self._compiled(connection, count, returning=returning)
        return sql

    def _compiled(self, connection: BaseDatabaseWrapper, count: int, *, returning: bool) -> str:
        fields = self._concrete()
        if returning:
            # The engine's own way to tell the new key.
            query = InsertQuery(self._model)
            query.insert_values(fields, [self._model()], raw=True)
            compiler: Any = query.get_compiler(connection=connection)
            if connection.features.can_return_columns_from_insert:
                compiler.returning_fields = [self._model._meta.pk]
            return str(compiler.as_sql()[0][0])
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in fields)
        places = ", ".join(["%s"] * len(fields))
        table, rows = quote(self._model._meta.db_table), ", ".join([f"({places})"] * count)
        return f"INSERT INTO {table} ({columns}) VALUES {rows}"  # noqa: S608 - names of our own models


def _mark(kind: type, number: int) -> Any:
    """A value of ``kind`` that nothing else in a statement is."""
    if kind is int:
        return _FIRST_NUMBER + number
    if kind is datetime:
        return _FIRST_INSTANT + timedelta(microseconds=number)
    if kind is date:
        return _FIRST_DATE + timedelta(days=number)
    if kind is uuid.UUID:
        return uuid.UUID(int=_FIRST_NUMBER + number)
    if kind is str:
        return f"\x01{number}"
    if kind is bytes:
        return b"\x01%d" % number
    raise PreparedError(f"{kind} is no kind of parameter.")


def _key(value: Any) -> Any:
    """``value`` as one finds it again: with its type, since 1 == True, and of bytes the bytes."""
    value = getattr(value, "obj", value)  # of bytes as a driver wraps them
    if isinstance(value, int) and not isinstance(value, bool):
        return int, int(value)  # drivers have integers of their own
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value


def _adapter(kind: type, connection: BaseDatabaseWrapper) -> Adapter:
    """How a value goes to the engine, as the fields of that kind would send it."""
    if kind is datetime:
        return connection.ops.adapt_datetimefield_value
    if kind is date:
        return connection.ops.adapt_datefield_value
    if kind is uuid.UUID and not connection.features.has_native_uuid_field:
        return lambda value: value.hex
    if kind is str:
        return str
    return _same


def _same(value: Any) -> Any:
    return value


def _preparer(field: models.Field[Any, Any], connection: BaseDatabaseWrapper) -> Adapter | None:
    """How a value of ``field`` is sent in an insert; None where as it is."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.CharField | models.TextField):
        return _text
    if isinstance(field, models.IntegerField | models.BooleanField):
        return None
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    return lambda value: field.get_db_prep_save(value, connection)


def _text(value: Any) -> str:
    """A choice is sent as its value: drivers know no enumerations."""
    return str(value.value) if isinstance(value, Enum) else str(value)


def _converter(
    chain: Sequence[Callable[[Any, Any, Any], Any]], expression: Any, connection: BaseDatabaseWrapper
) -> Callable[[Any], Any]:
    """One function for the chain of a column's converters."""
    field = expression.output_field
    if connection.vendor == "sqlite" and len(chain) == 1:
        if isinstance(field, models.DateTimeField) and connection.timezone is UTC:
            (stock,) = chain
            return lambda value: _instant(value) or stock(value, expression, connection)
        if isinstance(field, models.UUIDField):
            return _uuid
    if len(chain) == 1:
        (only,) = chain
        return lambda value: only(value, expression, connection)

    def convert(value: Any) -> Any:
        for one in chain:
            value = one(value, expression, connection)
        return value

    return convert


@lru_cache(maxsize=4_096)
def _uuid(text: str) -> uuid.UUID:
    """Remembered: a page names the same facilities and the same member again and again."""
    return uuid.UUID(text)


def _instant(value: Any) -> datetime | None:
    """SQLite keeps instants in UTC without saying so; its driver has parsed those of a column."""
    return value.replace(tzinfo=UTC) if type(value) is datetime else None
