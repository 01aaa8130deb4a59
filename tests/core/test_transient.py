"""Which errors are worth another try, and which say that the database is lost; by each driver."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from django.db import utils as db_utils

from bcc.core import transactions
from bcc.core.errors import BusyError
from bcc.core.rest.problems import problem_of
from tests.core.drivers import busy, caused, sqlite_cause, with_state

pytestmark = pytest.mark.engine

THREADS = 20


DEADLOCKED = (
    "Transaction (Process ID 55) was deadlocked on lock resources with another process and has been "
    "chosen as the deadlock victim. Rerun the transaction."
)
CONFLICT = (
    "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to "
    "access table 'dbo.accounts_membership' directly or indirectly in database 'bcc'. Retry the transaction."
)
WAITED = "Lock request time out period exceeded."
DUPLICATE = "Violation of UNIQUE KEY constraint 'once'. The duplicate key value is (1205)."
SYNTAX = "Incorrect syntax near 'LIMIT'."
ODBC = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


def as_django_raises(cause: Exception) -> BaseException:
    """The driver's error under Django's class of the same name, as the wrapper of every cursor raises it."""
    try:
        raise getattr(db_utils, type(cause).__name__)(*cause.args) from cause
    except db_utils.Error as error:
        return error


def by_mssql_python(state: str, text: str) -> BaseException:
    """What mssql_python 1.16 raises: its own function, given what the driver says of a failed statement."""
    exceptions = pytest.importorskip("mssql_python.exceptions")
    with pytest.raises(exceptions.Exception) as caught:
        exceptions.raise_exception(state, f"{ODBC}{text}")
    return as_django_raises(caught.value)


def by_pyodbc(name: str, state: str, number: int, text: str) -> BaseException:
    """What pyodbc 5 raises: the SQLSTATE, then the text with state, number and function around it."""
    pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError)  # without libodbc it cannot be imported
    cause = getattr(pyodbc, name)(state, f"[{state}] {ODBC}{text} ({number}) (SQLExecDirectW)")
    return as_django_raises(cause)


class TestIsTransientOnSqlServer:
    @pytest.mark.parametrize(
        ("state", "text"),
        [
            ("40001", DEADLOCKED),
            ("42000", DEADLOCKED),
            ("42000", CONFLICT),
            ("42000", WAITED),
            ("HYT00", WAITED),
        ],
    )
    def test_knows_what_mssql_python_says_without_a_number(self, state: str, text: str) -> None:
        assert transactions.is_transient(by_mssql_python(state, text))

    def test_knows_a_deadlock_in_the_servers_own_language(self) -> None:
        assert transactions.is_transient(by_mssql_python("40001", "Die Transaktion befand sich im Deadlock."))

    @pytest.mark.parametrize(("state", "text"), [("23000", DUPLICATE), ("42000", SYNTAX), ("HY000", "Gone.")])
    def test_takes_nothing_else_of_mssql_python_for_one(self, state: str, text: str) -> None:
        assert not transactions.is_transient(by_mssql_python(state, text))

    @pytest.mark.parametrize(
        ("name", "state", "number", "text"),
        [
            ("OperationalError", "40001", 1205, DEADLOCKED),
            ("Error", "40001", 1205, DEADLOCKED),
            ("ProgrammingError", "42000", 3960, CONFLICT),
            ("ProgrammingError", "42000", 1222, WAITED),
            ("ProgrammingError", "42000", 1222, "Das Timeout für eine Sperranforderung wurde überschritten."),
        ],
    )
    def test_knows_what_pyodbc_says_by_state_and_number(
        self, name: str, state: str, number: int, text: str
    ) -> None:
        assert transactions.is_transient(by_pyodbc(name, state, number, text))

    @pytest.mark.parametrize(
        ("name", "state", "number", "text"),
        [("IntegrityError", "23000", 2627, DUPLICATE), ("ProgrammingError", "42000", 102, SYNTAX)],
    )
    def test_takes_nothing_else_of_pyodbc_for_one(
        self, name: str, state: str, number: int, text: str
    ) -> None:
        assert not transactions.is_transient(by_pyodbc(name, state, number, text))


class TestIsTransient:
    @pytest.mark.parametrize(
        "error",
        [
            busy(),
            caused(OperationalError("locked"), sqlite_cause(sqlite3.SQLITE_LOCKED)),
            caused(OperationalError("locked"), sqlite_cause(sqlite3.SQLITE_BUSY_SNAPSHOT)),
            caused(OperationalError("deadlock"), with_state(Exception("x"), sqlstate="40P01")),
            caused(OperationalError("serialisation"), with_state(Exception("x"), sqlstate="40001")),
            caused(OperationalError("serialisation"), with_state(Exception("x"), pgcode="40001")),
            OperationalError("40001", "[40001] [Driver] Transaction (Process ID 55) was deadlocked (1205)"),
            ProgrammingError("[42000] Transaction was deadlocked on lock resources. (1205) (SQLExecDirectW)"),
            ProgrammingError(1205, "deadlock victim"),
            OperationalError("Snapshot isolation transaction aborted due to update conflict (3960)"),
            DatabaseError("('40001', 'deadlock')"),
        ],
    )
    def test_knows_deadlocks_and_busy_databases_by_number(self, error: DatabaseError) -> None:
        assert transactions.is_transient(error)

    @pytest.mark.parametrize(
        "error",
        [
            OperationalError("no such table: x"),
            caused(OperationalError("disk"), sqlite_cause(sqlite3.SQLITE_FULL)),
            IntegrityError("duplicate key value. DETAIL: Key (id)=(1205) already exists."),
            IntegrityError("The duplicate key value is (3960)."),
            ProgrammingError(["unhashable", {}], "syntax error"),
            caused(OperationalError("gone"), with_state(Exception("x"), sqlstate="57P01")),
            DatabaseError(),
            RuntimeError("x"),
        ],
    )
    def test_takes_nothing_else_for_one(self, error: Exception) -> None:
        assert not transactions.is_transient(error)


class BrokenError(Exception):
    """As psycopg's: each has a state, None where the connection itself broke."""

    sqlstate: str | None = None


class TestIsLost:
    @pytest.mark.parametrize(
        "error",
        [
            caused(OperationalError("server closed the connection unexpectedly"), BrokenError()),
            caused(InterfaceError("the connection is closed"), BrokenError()),
            caused(OperationalError("going down"), with_state(Exception("x"), sqlstate="57P01")),
            caused(OperationalError("starting up"), with_state(Exception("x"), sqlstate="57P03")),
            caused(OperationalError("gone"), with_state(Exception("x"), sqlstate="08006")),
            OperationalError("08S01", "[08S01] [Driver] Communication link failure (0)"),
        ],
    )
    def test_knows_a_connection_that_broke(self, error: Exception) -> None:
        assert transactions.is_lost(error)
        assert not transactions.is_transient(error)

    @pytest.mark.parametrize(
        "error",
        [
            OperationalError("no such table: x"),
            OperationalError("0800 is the number of the club"),
            busy(),
            caused(OperationalError("deadlock"), with_state(Exception("x"), sqlstate="40P01")),
            caused(IntegrityError("duplicate"), BrokenError()),
            caused(ProgrammingError("syntax"), with_state(Exception("x"), sqlstate="42601")),
            RuntimeError("x"),
        ],
    )
    def test_takes_nothing_else_for_one(self, error: Exception) -> None:
        assert not transactions.is_lost(error)

    def test_is_told_as_busy_and_not_tried_again(self, transactional_db: None) -> None:
        tried: list[int] = []

        def work() -> None:
            tried.append(1)
            raise caused(OperationalError("server closed the connection unexpectedly"), BrokenError())

        with pytest.raises(BusyError):
            transactions.run(work)

        assert len(tried) == 1

    def test_is_a_503_with_retry_after_outside_of_a_transaction(self) -> None:
        problem = problem_of(caused(InterfaceError("the connection is closed"), BrokenError()))

        assert problem is not None
        assert (problem.status, problem.code, problem.retry_after) == (503, "busy", 2)
