"""Is the club's server well? One list of checks, for ``/health/ready`` and ``manage.py doctor``.

Each check says what it looked at and, where it failed, what to do. ``live`` asks nothing of
anybody: a process that answers is alive, and only a process that does not should be restarted.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from kombu.exceptions import OperationalError as KombuError

from accounts.services.keys import current_keys
from bcc import celery
from bcc.core.addresses import client_address
from metrics.selectors.job_runs import scheduled_jobs

log = structlog.get_logger(__name__)

FREE_SPACE_MIB = 200
# Where `manage.py backup` puts archives in the data folder, and what it calls them, by their UTC time.
BACKUP_FOLDER = "backups"
BACKUP_NAME = "bcc-%Y%m%dT%H%M%SZ.tar.gz"
PING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: ``detail`` for a person, ``fix`` where there is something to do."""

    name: str
    is_well: bool
    detail: str
    fix: str = ""
    took_ms: float = 0.0


Check = Callable[[], Finding]


def check_configuration() -> Finding:
    """Django's own checks, ours among them, at error level."""
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        return Finding(
            "configuration",
            False,
            "; ".join(f"{error.id}: {error.msg}" for error in errors),
            _("Correct the settings named above, then start again."),
        )
    return Finding("configuration", True, _("The settings are sound."))


def check_database() -> Finding:
    """One question and its answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        return Finding(
            "database",
            False,
            _("The database does not answer: %(error)s") % {"error": error},
            _("Start the database, and check DATABASE_URL."),
        )
    return Finding("database", True, _("%(vendor)s answers.") % {"vendor": connection.vendor})


def check_migrations() -> Finding:
    """Whether the tables are those that this version of the code was written for."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding("migrations", False, str(error), _("Make the database answer first."))
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _back in missing[:5])
        return Finding(
            "migrations",
            False,
            _("%(count)d migrations are not applied: %(names)s.") % {"count": len(missing), "names": names},
            _("Run `python manage.py migrate`."),
        )
    return Finding("migrations", True, _("All migrations are applied."))


def check_cache() -> Finding:
    """Write a value and read it back: rate limits and cached answers rest on it."""
    key, value = f"health-{os.getpid()}", str(time.time())
    try:
        cache.set(key, value, 10)
        is_well = cache.get(key) == value
    except (redis.RedisError, OSError) as error:
        return Finding("cache", False, str(error), _("Start Redis, and check REDIS_URL."))
    if not is_well:
        return Finding(
            "cache", False, _("The cache forgets."), _("Check Redis's memory and eviction policy.")
        )
    return Finding("cache", True, settings.CACHES["default"]["BACKEND"].rsplit(".", 1)[-1])


def check_channel_layer() -> Finding:
    """Send a message to an own channel, and receive it: what a socket would hear passes there."""
    layer = get_channel_layer()
    if layer is None:
        return Finding("sockets", False, _("There is no channel layer."), _("Set CHANNEL_LAYERS."))

    async def there_and_back() -> bool:
        channel = await layer.new_channel("health")
        await layer.send(channel, {"type": "health.ping"})
        message = await asyncio.wait_for(layer.receive(channel), PING_SECONDS)
        return bool(message["type"] == "health.ping")

    try:
        is_well = async_to_sync(there_and_back)()
    except (redis.RedisError, OSError) as error:
        return Finding("sockets", False, str(error), _("Start Redis, and check REDIS_URL."))
    return Finding("sockets", is_well, type(layer).__name__)


def check_worker() -> Finding:
    """Ask the workers whether they are there. The embedded one cannot be asked from outside its process."""
    if settings.CELERY_BROKER_URL.startswith("memory:"):
        return Finding("worker", True, _("It lives in the server's own process, which starts and stops it."))
    try:
        replies = celery.app.control.ping(timeout=PING_SECONDS, limit=1)
    except (redis.RedisError, OSError, KombuError) as error:
        return Finding("worker", False, str(error), _("Start Redis, and check REDIS_URL."))
    if not replies:
        return Finding(
            "worker",
            False,
            _("No worker answers."),
            _("Start one: `celery -A bcc worker`, or `python manage.py serve` without --no-worker."),
        )
    return Finding("worker", True, _("%(name)s answers.") % {"name": next(iter(replies[0]))})


def check_scheduler() -> Finding:
    """Whether the jobs begin when they should: a scheduler that has stopped does not say so itself."""
    try:
        jobs = scheduled_jobs()
    except DatabaseError as error:
        return Finding("scheduler", False, str(error), _("Make the database answer first."))
    if not jobs:
        return Finding(
            "scheduler", False, _("Nothing is scheduled."), _("Run `python manage.py sync_schedules`.")
        )
    late = sorted(job.name for job in jobs if job.is_late(timezone.now()))
    if late:
        return Finding(
            "scheduler",
            False,
            _("%(count)d of %(all)d jobs are late: %(names)s.")
            % {"count": len(late), "all": len(jobs), "names": ", ".join(late[:5])},
            _("Start `celery -A bcc beat` and a worker, or `python manage.py serve`, which runs both."),
        )
    return Finding("scheduler", True, _("All %(count)d jobs begin in time.") % {"count": len(jobs)})


def check_storage() -> Finding:
    """Whether the data folder takes a file, and has room for more."""
    folder = Path(settings.DATA_DIR)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".health-"):
            free = shutil.disk_usage(folder).free // (1024 * 1024)
    except OSError as error:
        return Finding(
            "storage",
            False,
            _("The data folder cannot be written: %(error)s") % {"error": error},
            _("Make DATA_DIR exist and belong to the user that runs the server."),
        )
    if free < FREE_SPACE_MIB:
        return Finding(
            "storage",
            False,
            _("Only %(free)d MiB are free in %(folder)s.") % {"free": free, "folder": folder},
            _("Free some space, or move DATA_DIR."),
        )
    return Finding("storage", True, _("%(folder)s, %(free)d MiB free.") % {"folder": folder, "free": free})


def backup_made_at(name: str) -> datetime | None:
    """When the archive of that name was made, None for what is no archive of ours."""
    try:
        made_at = datetime.strptime(name, BACKUP_NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return made_at if made_at.strftime(BACKUP_NAME) == name else None


def check_backup() -> Finding:
    """When the newest archive in the data folder was made; by the machine's time, not the demo's."""
    hours = settings.BACKUP_MAX_AGE_HOURS
    if hours <= 0:
        return Finding("backup", True, _("Nobody asks for one: BACKUP_MAX_AGE_HOURS is 0."))
    folder = Path(settings.DATA_DIR) / BACKUP_FOLDER
    fix = _("Run `python manage.py backup`, and let cron do it each night: see docs/backup.md.")
    try:
        made = [made_at for path in folder.glob("*") if (made_at := backup_made_at(path.name))]
    except OSError as error:
        return Finding("backup", False, str(error), _("Let the server's user read that folder."))
    if not made:
        return Finding("backup", False, _("There is none in %(folder)s.") % {"folder": folder}, fix)
    newest = max(made)
    age = (datetime.now(UTC) - newest).total_seconds() / 3600
    detail = _("The newest was made on %(made_at)s UTC, %(age).0f hours ago.") % {
        "made_at": f"{newest:%Y-%m-%d %H:%M}",
        "age": max(0.0, age),
    }
    return Finding("backup", age <= hours, detail, "" if age <= hours else fix)


def check_signing_keys() -> Finding:
    """How old the key is that signs tokens."""
    try:
        keys = current_keys()
    except (OSError, ValueError, KeyError) as error:
        return Finding(
            "keys",
            False,
            _("JWT_KEYS_FILE cannot be read: %(error)s") % {"error": error},
            _("Let the server's user read it, or restore it from a backup."),
        )
    made_at = keys[0].made_at
    if made_at is None:
        return Finding("keys", True, _("JWT_KEY signs; its age is not known before `rotate_keys` ran."))
    days, limit = (datetime.now(UTC) - made_at).days, settings.JWT_KEY_MAX_AGE_DAYS
    is_young = limit <= 0 or days <= limit
    detail = _("The key that signs tokens is %(days)d days old; %(count)d are accepted.") % {
        "days": max(0, days),
        "count": len(keys),
    }
    fix = "" if is_young else _("Run `python manage.py rotate_keys`; nobody is signed out by it.")
    return Finding("keys", is_young, detail, fix)


# What a server needs to take requests; the balancer asks every few seconds.
READY_CHECKS: tuple[Check, ...] = (
    check_database,
    check_migrations,
    check_cache,
    check_channel_layer,
    check_storage,
)
# What the club needs besides. Not a reason to take a server out: no server would be left.
DOCTOR_CHECKS: tuple[Check, ...] = (
    check_configuration,
    *READY_CHECKS,
    check_worker,
    check_scheduler,
    check_backup,
    check_signing_keys,
)


def examine(wanted: tuple[Check, ...]) -> list[Finding]:
    """Run ``wanted`` in order; each finding says how long it took."""
    findings = []
    for check in wanted:
        began = time.perf_counter()
        found = check()
        took = round((time.perf_counter() - began) * 1000, 1)
        findings.append(Finding(found.name, found.is_well, found.detail, found.fix, took))
        if not found.is_well:
            log.warning("unwell", check=found.name, detail=found.detail)
    return findings


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """``GET /health/live``: this process answers."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """``GET /health/ready``: 200 when this server can take requests, else 503; which check, not why."""
    findings = examine(READY_CHECKS)
    is_well = all(found.is_well for found in findings)
    return JsonResponse(
        {
            "status": "ok" if is_well else "unwell",
            "checks": {found.name: "ok" if found.is_well else "unwell" for found in findings},
        },
        status=200 if is_well else 503,
        headers={"Cache-Control": "no-store"},
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """``GET /metrics`` for Prometheus, from METRICS_ALLOWED_FROM only."""
    if not may_read_metrics(request):
        return HttpResponseForbidden(
            _("Metrics are not public.") + "\n", content_type="text/plain; charset=utf-8"
        )
    response: HttpResponse = ExportToDjangoView(request)
    return response


def may_read_metrics(request: HttpRequest) -> bool:
    """Whether the client's address is among METRICS_ALLOWED_FROM.

    A request that says it was forwarded, where no proxy of ours is known, is refused: a proxy on
    the same machine would make everybody local.
    """
    if settings.TRUSTED_PROXY_HOPS == 0 and "X-Forwarded-For" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED_FROM)
