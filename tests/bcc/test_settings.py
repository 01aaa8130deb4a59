from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from bcc.settings import engines
from bcc.settings.keys import NAMES, local_keys
from tests.bcc.conftest import ROOT

SOUND = {
    "SECRET_KEY": "s" + "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "JWT_KEY": "j" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "OTP_KEY": "o" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgres://bcc:secret@db.example.com:5432/bcc",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "ALLOWED_HOSTS": "club.example.com",
    "EMAIL_URL": "smtp+tls://mail.example.com:587",
    "CLUB_NAME": "Example Club",
    "CLUB_EMAIL": "club@example.com",
    "PUBLIC_URL": "https://club.example.com",
}
READ = """
import json, sys
from importlib import import_module
from django.core.exceptions import ImproperlyConfigured
try:
    settings = import_module(sys.argv[1])
except ImproperlyConfigured as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({name: getattr(settings, name, None) for name in sys.argv[2:]}, default=str))
"""


def read(module: str, *names: str, **env: str) -> dict[str, Any]:
    """Settings of ``module`` under exactly ``env``, read by a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", READ, module, *names],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def production(
    tmp_path: Path, *names: str, without: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    given = {"DATA_DIR": str(tmp_path), **SOUND, **(env or {})}
    return read("bcc.settings.production", *names, **{key: given[key] for key in given if key not in without})


class TestProduction:
    def test_starts_with_everything_given(self, tmp_path: Path) -> None:
        found = production(
            tmp_path,
            "DEBUG", "DEMO_MODE", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT",
            "SECURE_HSTS_SECONDS", "TRUSTED_PROXY_HOPS",
        )  # fmt: skip
        assert found == {
            "DEBUG": False,
            "DEMO_MODE": False,
            "SESSION_COOKIE_SECURE": True,
            "CSRF_COOKIE_SECURE": True,
            "SECURE_SSL_REDIRECT": True,
            "SECURE_HSTS_SECONDS": 31536000,
            "TRUSTED_PROXY_HOPS": 1,
        }

    def test_takes_its_services_from_redis(self, tmp_path: Path) -> None:
        found = production(tmp_path, "CACHES", "CHANNEL_LAYERS", "CELERY_BROKER_URL", "CELERY_TASK_ACKS_LATE")
        assert found["CACHES"]["default"]["BACKEND"].endswith("RedisCache")
        layer = found["CHANNEL_LAYERS"]["default"]
        assert layer["BACKEND"] == "bcc.core.redislayer.QuietRedisLayer"
        assert layer["CONFIG"]["hosts"] == [{"address": SOUND["REDIS_URL"], "socket_timeout": None}]
        assert found["CELERY_BROKER_URL"] == SOUND["REDIS_URL"]
        assert found["CELERY_TASK_ACKS_LATE"] is True

    def test_names_everything_that_is_missing_at_once(self) -> None:
        error = read("bcc.settings.production")["error"]
        for name in (*SOUND, "DATA_DIR"):
            assert f"{name} is not set." in error

    @pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DATA_DIR", "EMAIL_URL"])
    def test_refuses_when_one_is_missing(self, tmp_path: Path, name: str) -> None:
        error = production(tmp_path, without=(name,))["error"]
        assert f"{name} is not set." in error
        assert error.count("is not set.") == 1

    def test_takes_an_empty_variable_for_missing(self, tmp_path: Path) -> None:
        assert "JWT_KEY is not set." in production(tmp_path, env={"JWT_KEY": "  "})["error"]

    @pytest.mark.parametrize(
        ("env", "said"),
        [
            ({"DEMO_MODE": "true"}, "DEMO_MODE is on"),
            ({"DEBUG": "on"}, "DEBUG is on"),
            ({"SECRET_KEY": "short"}, "SECRET_KEY is too weak"),
            ({"JWT_KEY": "a" * 64}, "JWT_KEY is too weak"),
            ({"JWT_KEY": SOUND["OTP_KEY"]}, "must differ"),
            ({"FILES_LINK_KEY": SOUND["OTP_KEY"]}, "must differ"),
            ({"FILES_LINK_KEY": "short-0123"}, "FILES_LINK_KEY is too weak"),
            ({"FILES_LINK_KEY": 'a";return 200;' + SOUND["SECRET_KEY"]}, "FILES_LINK_KEY may have letters"),
        ],
    )
    def test_refuses_what_is_unsafe(self, tmp_path: Path, env: dict[str, str], said: str) -> None:
        assert said in production(tmp_path, env=env)["error"]


class TestDevelopment:
    def test_needs_nothing(self, tmp_path: Path) -> None:
        found = read(
            "bcc.settings.development", "DATABASES", "DEMO_MODE", "CELERY_BROKER_URL", DATA_DIR=str(tmp_path)
        )
        database = found["DATABASES"]["default"]
        assert database["NAME"] == str(tmp_path / "bcc.sqlite3")
        assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
        assert database["CONN_MAX_AGE"] is None
        assert found["DEMO_MODE"] is True
        assert found["CELERY_BROKER_URL"].startswith("memory://")

    def test_switches_to_the_services_that_urls_name(self, tmp_path: Path) -> None:
        found = read(
            "bcc.settings.development", "DATABASES", "CELERY_BROKER_URL",
            DATA_DIR=str(tmp_path), DATABASE_URL=SOUND["DATABASE_URL"], REDIS_URL=SOUND["REDIS_URL"],
        )  # fmt: skip
        assert found["DATABASES"]["default"]["ENGINE"] == "bcc.core.postgres"
        assert found["CELERY_BROKER_URL"] == SOUND["REDIS_URL"]

    def test_keeps_its_keys(self, tmp_path: Path) -> None:
        first = read("bcc.settings.development", *NAMES, DATA_DIR=str(tmp_path))
        assert read("bcc.settings.development", *NAMES, DATA_DIR=str(tmp_path)) == first


class TestDatabase:
    def test_reads_sql_server(self) -> None:
        found = engines.database("mssql://sa:p%40ss@sqlserver:1433/bcc")
        assert found == {
            "ENGINE": "mssql",
            "NAME": "bcc",
            "USER": "sa",
            "PASSWORD": "p@ss",
            "HOST": "sqlserver",
            "PORT": 1433,
            "CONN_MAX_AGE": 0,
            "CONN_HEALTH_CHECKS": True,
            # It brings its own ODBC driver and takes the name of no other.
            "OPTIONS": {"python_driver": "mssql_python"},
        }

    def test_speaks_to_sql_server_through_pyodbc_where_the_url_says_so(self) -> None:
        found = engines.database("mssql://sa:secret@sqlserver:1433/bcc?python_driver=pyodbc")
        assert found["OPTIONS"] == {"driver": "ODBC Driver 18 for SQL Server"}
        assert found["CONN_MAX_AGE"] == 0
        found = engines.database(
            "mssql://sa:secret@sqlserver/bcc?python_driver=pyodbc&driver=ODBC+Driver+17+for+SQL+Server"
            "&extra_params=TrustServerCertificate%3Dyes"
        )
        assert found["OPTIONS"] == {
            "driver": "ODBC Driver 17 for SQL Server",
            "extra_params": "TrustServerCertificate=yes",
        }

    @pytest.mark.parametrize("query", ["python_driver=pymssql", "driver=ODBC+Driver+17+for+SQL+Server"])
    def test_refuses_a_driver_that_nothing_could_use(self, query: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="python_driver=") as caught:
            engines.database(f"mssql://sa:secret@sqlserver/bcc?{query}")
        assert "secret" not in str(caught.value)

    def test_gives_postgresql_a_pool(self) -> None:
        found = engines.database("postgres://bcc:secret@db:5432/bcc")
        assert found["OPTIONS"]["pool"]["max_size"] == 10
        assert found["CONN_MAX_AGE"] == 0

    @pytest.mark.parametrize(
        ("query", "threshold"), [("", 2), ("?prepare_threshold=5", 5), ("?prepare_threshold=0", None)]
    )
    def test_says_from_which_use_on_a_plan_is_kept(self, query: str, threshold: int | None) -> None:
        found = engines.database(f"postgres://bcc:secret@db:5432/bcc{query}")
        assert found["OPTIONS"]["prepare_threshold"] == threshold

    def test_keeps_sqlite_immediate(self, tmp_path: Path) -> None:
        found = engines.database(f"sqlite:///{tmp_path}/club.sqlite3")
        assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        assert found["NAME"] == f"{tmp_path}/club.sqlite3"

    @pytest.mark.parametrize("url", ["club", "oracle://u:p@h/club", "mysql://u:p@h/club"])
    def test_refuses_an_engine_it_does_not_know(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
            engines.database(url)


class TestLocalKeys:
    def test_are_for_their_owner_only(self, tmp_path: Path) -> None:
        keys = local_keys(tmp_path / "data")
        assert len(set(keys.values())) == len(NAMES)
        assert min(map(len, keys.values())) >= 50
        path = tmp_path / "data" / "keys.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["keys.json"]

    def test_are_the_same_for_all_that_start_together(self, tmp_path: Path) -> None:
        gate = threading.Barrier(8)

        def start(_number: int) -> str:
            gate.wait()
            return json.dumps(local_keys(tmp_path))

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(start, range(8)))) == 1
