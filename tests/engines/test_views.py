"""The occupancy report's view by vendor; SQLite runs its own in tests/metrics."""

from __future__ import annotations

import re
from typing import Any

import pytest

from metrics.models import Occupancy
from metrics.services.database_views import OCCUPANCY, drop_sql, occupancy_sql
from tests.engines.rules import refused_in_statement

STANDS = (
    "type <> 'BLOCKED' AND state IN ('CHECKED_IN', 'COMPLETED', 'CONFIRMED', 'HELD', 'NO_SHOW', "
    "'PENDING_APPROVAL', 'PENDING_CONFIRMATION')"
)


class TestOccupancySql:
    def test_is_t_sql(self) -> None:
        sql = occupancy_sql("microsoft")
        assert list(refused_in_statement(sql)) == []
        assert sql.startswith(f"CREATE OR ALTER VIEW {OCCUPANCY} AS SELECT MIN(id) AS id, ")
        minutes = "CAST(DATEDIFF(second, starts_at, ends_at) / 60 AS BIGINT)"
        assert f"CAST(SUM(CASE WHEN {STANDS} THEN {minutes} ELSE 0 END) AS BIGINT) AS minutes" in sql
        # A view of T-SQL may be ordered only with TOP, and Django's GROUP BY reads a % as a parameter.
        assert "ORDER BY" not in sql
        assert "%" not in sql

    def test_is_postgresqls(self) -> None:
        sql = occupancy_sql("postgresql")
        minutes = "CAST(FLOOR(EXTRACT(EPOCH FROM (ends_at - starts_at)) / 60) AS BIGINT)"
        assert sql.startswith(f"CREATE OR REPLACE VIEW {OCCUPANCY} AS SELECT MIN(id) AS id, ")
        assert f"CAST(SUM(CASE WHEN {STANDS} THEN {minutes} ELSE 0 END) AS BIGINT) AS minutes" in sql
        for foreign in ("DATEDIFF", "strftime", "OR ALTER", "["):
            assert foreign not in sql

    def test_differs_by_engine_in_its_head_and_its_minutes_only(self) -> None:
        heads = r"^CREATE( OR \w+)? VIEW"
        minutes = (
            r"CAST\(DATEDIFF\(second, starts_at, ends_at\) / 60 AS BIGINT\)"
            r"|CAST\(FLOOR\(EXTRACT\(EPOCH FROM \(ends_at - starts_at\)\) / 60\) AS BIGINT\)"
            r"|\(CAST\(strftime\('%s', ends_at\) AS INTEGER\) - "
            r"CAST\(strftime\('%s', starts_at\) AS INTEGER\)\) / 60"
        )
        same = {
            re.sub(minutes, "MINUTES", re.sub(heads, "CREATE", occupancy_sql(vendor)))
            for vendor in ("sqlite", "postgresql", "microsoft")
        }
        assert len(same) == 1
        assert same.pop().count("MINUTES") == 2

    @pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "microsoft"])
    def test_has_the_models_columns_and_a_reverse(self, vendor: str) -> None:
        named = re.findall(r" AS (\w+)(?=,| FROM)", occupancy_sql(vendor))
        columns = {str(field.column) for field in Occupancy._meta.fields}
        assert {*named, "facility_id", "starts_on"} == columns
        assert drop_sql() == f"DROP VIEW IF EXISTS {OCCUPANCY}"

    def test_passes_the_cursor_unchanged(self, sql_server: Any) -> None:
        """mssql-django rewrites what holds a GROUP BY, and a view takes no parameters."""
        base = pytest.importorskip("mssql.base", exc_type=ImportError)
        sql = occupancy_sql("microsoft")
        cursor = base.CursorWrapper(None, sql_server)
        assert cursor.format_group_by_params(sql, None) == (sql, None)
        assert cursor.format_sql(sql, None) == sql
