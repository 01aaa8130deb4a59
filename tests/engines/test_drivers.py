"""What each driver would be told, without telling it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.tsql import URL, make_wrapper


def connection_string(query: str = "") -> tuple[Any, str]:
    wrapper = make_wrapper(f"{URL}{query}")
    params = wrapper.get_connection_params()
    driver = params["OPTIONS"].get("driver", "")
    return wrapper, wrapper._build_connection_string(params, driver)


class TestDrivers:
    def test_mssql_python_is_told_no_odbc_driver(self) -> None:
        wrapper, told = connection_string()
        assert wrapper._uses_mssql_python(wrapper.get_connection_params())
        assert told == "SERVER=sqlserver.invalid,1433;UID=bcc;PWD=secret;DATABASE=bcc"

    def test_pyodbc_is_told_one(self) -> None:
        wrapper, told = connection_string("?python_driver=pyodbc&extra_params=TrustServerCertificate%3Dyes")
        assert not wrapper._uses_mssql_python(wrapper.get_connection_params())
        assert told == (
            "DRIVER=ODBC Driver 18 for SQL Server;SERVER=sqlserver.invalid,1433;UID=bcc;PWD=secret;"
            "DATABASE=bcc;TrustServerCertificate=yes"
        )

    @pytest.mark.parametrize("query", ["", "?python_driver=pyodbc"])
    def test_both_speak_sql_server(self, query: str) -> None:
        wrapper, _ = connection_string(query)
        assert wrapper.vendor == "microsoft"
        assert wrapper.connection is None
        assert not wrapper.features.supports_ignore_conflicts
        # Times carry their zone, so a comparison with an aware time is one of instants.
        assert wrapper.data_types["DateTimeField"] == "datetimeoffset"
