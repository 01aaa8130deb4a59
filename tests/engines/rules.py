"""What SQL Server refuses or leaves out in silence, told from statements, models and migrations.

Each function gives sentences, none where all is well. The tests plant a counterexample for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from django.db.migrations.operations import RunSQL
from django.db.models import Q

LONGEST_NAME = 128
# A nonclustered index takes this many bytes of key, and fails at the first row that has more.
LONGEST_KEY = 1_700

# --- Statements ------------------------------------------------------------------------------

_LITERAL = r"(?:-?\d+(?:\.\d+)?|N?'[^']*')"
_COLUMN = r"\[\w+\]"
_TERM = re.compile(
    rf"{_COLUMN} (?:(?:=|<>|!=|<|<=|>|>=) {_LITERAL}|IS (?:NOT )?NULL|IN \({_LITERAL}(?:, {_LITERAL})*\))"
)
_FILTERED = re.compile(r"^CREATE (?:UNIQUE )?INDEX (\[\w+\]) .*? WHERE (.*?);?$", re.DOTALL)
_TEXT = re.compile(r"N?'(?:[^']|'')*'")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_BODY = re.compile(r"\s*(?:CREATE(?: OR ALTER)?|ALTER) (?:PROC|PROCEDURE|FUNCTION|TRIGGER)\b", re.IGNORECASE)
_VIEW = re.compile(r"\b(?:CREATE|ALTER)(?: OR (?:ALTER|REPLACE))? VIEW\b", re.IGNORECASE)
_FOREIGN = {
    "LIMIT": re.compile(r"\bLIMIT\b(?!\])", re.IGNORECASE),
    "NULLS FIRST or LAST": re.compile(r"\bNULLS (?:FIRST|LAST)\b", re.IGNORECASE),
    "FOR UPDATE": re.compile(r"\bFOR (?:NO KEY )?UPDATE\b", re.IGNORECASE),
    "a boolean literal": re.compile(r"(?<!\[)\b(?:TRUE|FALSE)\b", re.IGNORECASE),
    "DEFERRABLE": re.compile(r"\bDEFERRABLE\b", re.IGNORECASE),
    "ILIKE": re.compile(r"\bILIKE\b", re.IGNORECASE),
    "RETURNING": re.compile(r"\bRETURNING\b", re.IGNORECASE),
    "a cast by ::": re.compile(r"::"),
    "a || that joins": re.compile(r"\|\|"),
    "FILTER": re.compile(r"\bFILTER ?\(", re.IGNORECASE),
    "EXTRACT": re.compile(r"\b(?:EXTRACT|STRFTIME|DATE_TRUNC|NOW) ?\(", re.IGNORECASE),
    "ON CONFLICT": re.compile(r"\bON CONFLICT\b", re.IGNORECASE),
    "REPLACE VIEW": re.compile(r"\bOR REPLACE\b", re.IGNORECASE),
    "None": re.compile(r"\bNone\b"),
    "GO": re.compile(r"^\s*GO\s*;?\s*$", re.IGNORECASE | re.MULTILINE),
}


def refused_in_statement(sql: str) -> Iterator[str]:
    """What no SQL Server takes, in one statement of T-SQL."""
    bare = _COMMENT.sub("", _TEXT.sub("''", sql))
    for name, pattern in _FOREIGN.items():
        if pattern.search(bare):
            yield f"{name}: {sql}"
    for name in re.findall(r"\[(\w+)\]", bare):
        if len(name) > LONGEST_NAME:
            yield f"a name of {len(name)} characters: {name}"
    found = _FILTERED.match(sql)
    if found is not None:
        yield from (f"the filter of {found[1]}: {term}" for term in _refused_terms(found[2]))
    view = _VIEW.search(bare)
    if view is not None and bare[: view.start()].strip():
        yield f"a view that is not alone in its statement: {sql}"


def _refused_terms(condition: str) -> Iterator[str]:
    """The parts of a filtered index's condition beyond AND, IN, comparison with a value, IS NULL."""
    condition = condition.strip()
    if condition.startswith("(") and condition.endswith(")"):
        condition = condition[1:-1]
    # A text may hold an AND; what stands in it is of no matter to the form.
    texts = _TEXT.sub("''", condition)
    yield from (term for term in texts.split(" AND ") if not _TERM.fullmatch(term))


def refused_in_run_sql(operation: RunSQL) -> Iterator[str]:
    """Items that hold more than one statement, and GO: the back end sends each as it stands."""
    for side in (operation.sql, operation.reverse_sql):
        for sql in _items(side):
            bare = _COMMENT.sub("", _TEXT.sub("''", sql)).strip().rstrip(";")
            if ";" in bare and not _BODY.match(bare):
                yield f"more than one statement in one item: {sql}"
            yield from refused_in_statement(sql)


def _items(sql: Any) -> list[str]:
    if sql is None or sql == RunSQL.noop:
        return []
    if isinstance(sql, str):
        return [sql]
    return [one if isinstance(one, str) else one[0] for one in sql]


# --- Models ----------------------------------------------------------------------------------

_FILTER_LOOKUPS = frozenset({"exact", "in", "gt", "gte", "lt", "lte", "isnull"})
_BYTES = {
    models.BigIntegerField: 8, models.IntegerField: 4, models.BooleanField: 1, models.DateTimeField: 10,
    models.DateField: 3, models.TimeField: 5, models.UUIDField: 32, models.DecimalField: 17,
    models.FloatField: 8, models.DurationField: 8,
}  # fmt: skip


def refused_in_model(model: type[models.Model]) -> Iterator[str]:
    """What SQL Server refuses of a model, or mssql-django leaves out without a word."""
    meta = model._meta
    if isinstance(meta.pk, models.UUIDField):
        yield f"{meta.label}: a UUID as primary key, which scatters the clustered index."
    for names in meta.unique_together:
        yield from _nullable_together(model, names, None, "unique_together")
        yield from _too_long(model, names, "unique_together")
    for constraint in meta.constraints:
        name = f"{meta.label}: {constraint.name}"
        if isinstance(constraint, models.UniqueConstraint):
            if constraint.expressions:
                yield f"{name} is of expressions, and is left out."
            if constraint.deferrable is not None:
                yield f"{name} is deferrable, and is left out."
            if constraint.nulls_distinct is not None:
                yield f"{name} says nulls_distinct, and is left out."
            yield from (f"{name}: {what}" for what in refused_in_filter(constraint.condition))
            yield from _nullable_together(model, constraint.fields, constraint.condition, constraint.name)
            yield from _too_long(model, constraint.fields, constraint.name)
        elif not isinstance(constraint, models.CheckConstraint):
            yield f"{name} is a {type(constraint).__name__}, which is another engine's."
    for index in meta.indexes:
        name = f"{meta.label}: {index.name}"
        if type(index) is not models.Index:
            yield f"{name} is a {type(index).__name__}, which is another engine's."
        if index.expressions:
            yield f"{name} is of expressions, and is left out."
        yield from (f"{name}: {what}" for what in refused_in_filter(index.condition))
        yield from _too_long(model, [field for field, _ in index.fields_orders], index.name)
    fields: Any = meta.local_fields
    for field in fields:
        if field.db_index or (field.unique and not field.primary_key):
            yield from _too_long(model, [field.name], field.name)


def refused_in_filter(condition: Q | None) -> Iterator[str]:
    """OR, NOT, columns against columns, and lookups that are no comparison."""
    if condition is None:
        return
    if condition.negated:
        yield "NOT in a filter."
    if condition.connector != Q.AND and len(condition.children) > 1:
        yield f"{condition.connector} in a filter."
    for child in condition.children:
        if isinstance(child, Q):
            yield from refused_in_filter(child)
        elif not isinstance(child, tuple):
            yield f"an expression in a filter: {child}."
        else:
            path, value = child
            lookup = path.split("__")[-1] if "__" in path else "exact"
            if lookup not in _FILTER_LOOKUPS or path.count("__") > 1:
                yield f"{path} in a filter."
            if hasattr(value, "resolve_expression"):
                yield f"a column against {value} in a filter."


def _nullable_together(
    model: type[models.Model], names: Iterable[str], condition: Q | None, what: str
) -> Iterator[str]:
    """Columns of many that may be NULL: on SQL Server two NULLs are equal, elsewhere they are not."""
    names = tuple(names)
    if len(names) < 2:
        return
    for name in names:
        field: Any = model._meta.get_field(name)
        if field.null and not _demands(condition, name):
            yield f"{model._meta.label}: {what} is over {name}, which may be NULL."


def _demands(condition: Q | None, name: str) -> bool:
    """Whether the condition holds only where the column is not NULL."""
    if condition is None or condition.negated or condition.connector != Q.AND:
        return False
    return any(
        _demands(child, name) if isinstance(child, Q) else child == (f"{name}__isnull", False)
        for child in condition.children
    )


def _too_long(model: type[models.Model], names: Iterable[str], what: str) -> Iterator[str]:
    size = sum(_bytes_of(model._meta.get_field(name)) for name in names)
    if size > LONGEST_KEY:
        yield f"{model._meta.label}: the key of {what} may have {size} bytes."


def _bytes_of(field: Any) -> int:
    if field.is_relation:
        return _bytes_of(field.target_field)
    for kind, size in _BYTES.items():
        if isinstance(field, kind):
            return size
    if isinstance(field, models.GenericIPAddressField):
        return 2 * 39
    # nvarchar has two bytes a character; without a length it is nvarchar(max).
    return 2 * (field.max_length or LONGEST_KEY)
