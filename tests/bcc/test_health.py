from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import redis
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from bcc import health

pytestmark = pytest.mark.django_db


def failing(error: Exception) -> Callable[..., None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


class TestLive:
    def test_asks_nothing_of_the_database(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            response = client.get("/health/live")
        assert response.status_code == 200
        assert response.json() == {"status": "ok"}
        assert response["Cache-Control"] == "no-store"

    def test_takes_no_other_method(self, client: Client) -> None:
        assert client.post("/health/live").status_code == 405


class TestReady:
    def test_names_what_is_well(self, client: Client) -> None:
        response = client.get("/health/ready")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "checks": dict.fromkeys(("database", "migrations", "cache", "sockets", "storage"), "ok"),
        }

    def test_is_a_503_that_names_the_check_and_not_the_reason(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            health.cache, "set", failing(redis.ConnectionError("redis.internal:6379 refused"))
        )
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["checks"]["cache"] == "unwell"
        assert "redis.internal" not in response.content.decode()


class TestChecks:
    def test_database_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health.connection, "cursor", failing(OperationalError("no route")))
        found = health.check_database()
        assert not found.is_well
        assert "no route" in found.detail
        assert "DATABASE_URL" in found.fix

    def test_migrations_names_those_that_are_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Migration:
            app_label, name = "accounts", "0002_more"

        monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: [(Migration(), False)])
        found = health.check_migrations()
        assert not found.is_well
        assert "accounts.0002_more" in found.detail
        assert "migrate" in found.fix

    def test_migrations_say_when_the_database_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "MigrationExecutor", failing(OperationalError("no route")))
        assert not health.check_migrations().is_well

    def test_cache_notices_that_it_forgets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health.cache, "get", lambda *args: None)
        assert not health.check_cache().is_well

    def test_sockets_notice_a_layer_that_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "get_channel_layer", lambda: None)
        assert not health.check_channel_layer().is_well

    def test_sockets_notice_a_layer_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hang(channel: str) -> None:
            raise TimeoutError("nothing came")

        layer = health.get_channel_layer()
        monkeypatch.setattr(layer, "receive", hang)
        assert not health.check_channel_layer().is_well

    def test_storage_notices_a_folder_that_is_not_there(self, settings: Settings, tmp_path: Path) -> None:
        settings.DATA_DIR = tmp_path / "gone"
        found = health.check_storage()
        assert not found.is_well
        assert "DATA_DIR" in found.fix

    def test_storage_notices_a_full_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "FREE_SPACE_MIB", 10**9)
        assert not health.check_storage().is_well

    def test_worker_is_asked_where_it_is_another_process(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CELERY_BROKER_URL = "redis://redis:6379/0"
        control = health.celery.app.control
        monkeypatch.setattr(control, "ping", lambda **kwargs: [{"celery@one": {"ok": "pong"}}])
        assert health.check_worker().detail == "celery@one answers."
        monkeypatch.setattr(control, "ping", lambda **kwargs: [])
        assert not health.check_worker().is_well
        monkeypatch.setattr(control, "ping", failing(redis.ConnectionError("refused")))
        assert not health.check_worker().is_well

    def test_backup_asks_for_none_where_its_age_is_nobodys_business(self, settings: Settings) -> None:
        settings.BACKUP_MAX_AGE_HOURS = 0
        assert health.check_backup().is_well

    def test_backup_notices_that_there_is_none(self, settings: Settings, tmp_path: Path) -> None:
        settings.BACKUP_MAX_AGE_HOURS, settings.DATA_DIR = 36, tmp_path
        assert not health.check_backup().is_well
        (tmp_path / "backups").mkdir()
        for name in ("notes.txt", "bcc-20269901T000000Z.tar.gz", "bcc-20260601T000000Z.tar.gz.part"):
            (tmp_path / "backups" / name).touch()
        found = health.check_backup()
        assert not found.is_well
        assert "manage.py backup" in found.fix

    @pytest.mark.parametrize(("hours", "is_well"), [(0, True), (36, True), (37, False)])
    def test_backup_tells_the_age_of_the_newest(
        self, settings: Settings, tmp_path: Path, now: datetime, hours: int, is_well: bool
    ) -> None:
        settings.BACKUP_MAX_AGE_HOURS, settings.DATA_DIR = 36, tmp_path
        (tmp_path / "backups").mkdir()
        for name in ("bcc-20260501T000000Z.tar.gz", "bcc-20260601T000000Z.tar.gz"):
            (tmp_path / "backups" / name).touch()
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            found = health.check_backup()
        assert found.is_well is is_well
        assert found.detail == f"The newest was made on 2026-06-01 00:00 UTC, {hours} hours ago."
        assert bool(found.fix) is not is_well

    def test_backup_is_no_reason_to_take_a_server_out(self) -> None:
        assert health.check_backup in health.DOCTOR_CHECKS
        assert health.check_backup not in health.READY_CHECKS

    def test_configuration_repeats_django(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert health.check_configuration().is_well
        monkeypatch.setattr(
            health.checks, "run_checks", lambda: [health.checks.Error("Nothing fits.", id="club.E001")]
        )
        assert "club.E001: Nothing fits." in health.check_configuration().detail


class TestDoctor:
    @pytest.fixture(autouse=True)
    def schedules(self, db: None) -> None:
        call_command("sync_schedules", stdout=StringIO())

    def test_says_that_all_is_well(self) -> None:
        out = StringIO()
        call_command("doctor", stdout=out)
        assert "All is well." in out.getvalue()
        assert out.getvalue().count("ok  ") == len(health.DOCTOR_CHECKS)

    def test_names_the_fix_and_exits_with_a_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health.cache, "set", failing(redis.ConnectionError("refused")))
        out = StringIO()
        with pytest.raises(CommandError, match=r"1 of 10 checks failed: cache\."):
            call_command("doctor", stdout=out)
        assert "→ Start Redis, and check REDIS_URL." in out.getvalue()


class TestMetrics:
    def test_are_for_this_machine(self, client: Client) -> None:
        response = client.get("/metrics")
        assert response.status_code == 200
        assert b"django_http_requests_before_middlewares_total" in response.content

    @pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.4", "2001:db8::1", "", "nonsense"])
    def test_are_for_nobody_else(self, client: Client, address: str) -> None:
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403

    def test_are_refused_behind_a_proxy_that_nobody_named(self, client: Client) -> None:
        assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403

    def test_go_by_what_the_trusted_proxy_saw(self, client: Client, settings: Settings) -> None:
        settings.TRUSTED_PROXY_HOPS = 1
        assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
        assert (
            client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}).status_code == 403
        )
        settings.METRICS_ALLOWED_FROM = ["203.0.113.0/24"]
        assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
