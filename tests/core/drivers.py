"""Errors as the drivers raise them, and as Django hands them on."""

from __future__ import annotations

import sqlite3
from typing import Any, TypeVar

from django.db import DatabaseError, OperationalError

E = TypeVar("E", bound=Exception)


def busy() -> DatabaseError:
    return caused(OperationalError("database is locked"), sqlite_cause(sqlite3.SQLITE_BUSY))


def sqlite_cause(code: int) -> sqlite3.OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = code
    return cause


def caused(error: E, cause: Exception) -> E:
    error.__cause__ = cause
    return error


def with_state(error: Exception, **attributes: Any) -> Exception:
    for name, value in attributes.items():
        setattr(error, name, value)
    return error
