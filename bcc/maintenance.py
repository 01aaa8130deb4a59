"""The door of the API: shut while the club's server is looked after, and to apps that are too old.

Maintenance is a file in the data folder, which every process of the club shares: it is seen at the
next request without a restart or a query, and can be switched while the database or Redis is away,
which is when it is needed. ``manage.py maintenance`` writes it. Sockets that are open stay open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.errors import DomainError, InvalidError
from bcc.core.rest.problems import PROBLEM_JSON, problem_response

GetResponse = Callable[[HttpRequest], HttpResponseBase]

FILE: Final = "maintenance.json"
API: Final = "/api/"
BOOTSTRAP: Final = "/api/v1/bootstrap"
OPEN_IN_MAINTENANCE: Final = frozenset({BOOTSTRAP, "/api/v1/time"})
DEFAULT_MESSAGE: Final = gettext_lazy("The club's app is being looked after. Try again a little later.")
# How long a client waits where nobody said until when, or where that has passed; in seconds.
WAIT_SECONDS: Final = 120
MOST_WAIT_SECONDS: Final = 60 * 60

APP_VERSION_HEADER: Final = "X-App-Version"
_APP_VERSION_META: Final = "HTTP_X_APP_VERSION"
APP_VERSION_PATTERN: Final = r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}"
_APP_VERSION: Final = re.compile(APP_VERSION_PATTERN)
_NUMBERS: Final = 4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What members are told. ``until`` is when it is expected to end; only ``off`` ends it."""

    message: str | Promise
    until: datetime | None = None


class MaintenanceError(DomainError):
    status = 503
    code = "maintenance"
    title = gettext_lazy("Closed for maintenance.")
    default_detail = DEFAULT_MESSAGE


class AppTooOldError(DomainError):
    status = 426
    code = "app_too_old"
    title = gettext_lazy("The app is too old.")
    default_detail = gettext_lazy("This version of the app is too old. Update it from the store.")


def current_maintenance() -> Maintenance | None:
    """What was switched on, None while the club is open.

    A file that cannot be read keeps the API shut: whoever wrote it meant that.
    """
    global _kept
    path = _path()
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    stamp = (str(path), found.st_mtime_ns, found.st_ino)
    if _kept is None or _kept[0] != stamp:
        _kept = (stamp, _read(path))
    return _kept[1]


_kept: tuple[tuple[str, int, int], Maintenance] | None = None


def switch_on(*, message: str = "", until: datetime | None = None) -> Maintenance:
    """Shut the API in every process, until ``switch_off``. An empty message is the club's usual one."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"message": message, "until": until.isoformat() if until else None}))
    part.replace(path)
    return _said(message, until)


def switch_off() -> bool:
    """Open the API again; False if it was."""
    try:
        _path().unlink()
    except FileNotFoundError:
        return False
    return True


def _path() -> Path:
    return Path(settings.DATA_DIR) / FILE


def _read(path: Path) -> Maintenance:
    try:
        said = json.loads(path.read_text())
        until = None if said["until"] is None else datetime.fromisoformat(said["until"]).astimezone(UTC)
        return _said(str(said["message"]), until)
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("maintenance_unreadable", file=str(path), exc_info=True)
        return Maintenance(DEFAULT_MESSAGE)


def _said(message: str, until: datetime | None) -> Maintenance:
    return Maintenance(message or DEFAULT_MESSAGE, until)


class ApiDoorMiddleware:
    """Under ``/api/``: 503 ``maintenance``, and 426 ``app_too_old`` for an app that says so itself.

    Bootstrap is always open, because it is what tells an app either; the time is open in maintenance.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        minimum_version()  # a setting that is no version is a server that does not start

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = door_refusal(request)
        return self.get_response(request) if refusal is None else problem_response(request, refusal)


def door_refusal(request: HttpRequest) -> DomainError | None:
    """Why the door is shut to ``request``, None where it is open."""
    if not request.path_info.startswith(API) or request.path_info == BOOTSTRAP:
        return None
    return _shut(request) or _too_old(request)


def _shut(request: HttpRequest) -> DomainError | None:
    maintenance = current_maintenance()
    if maintenance is None or request.path_info in OPEN_IN_MAINTENANCE:
        return None
    wait = WAIT_SECONDS
    if maintenance.until is not None:
        left = int((maintenance.until - clock.now()).total_seconds()) + 1
        wait = min(left, MOST_WAIT_SECONDS) if left > 0 else WAIT_SECONDS
    return MaintenanceError(maintenance.message, until=maintenance.until, retry_after=wait)


def _too_old(request: HttpRequest) -> DomainError | None:
    given = request.META.get(_APP_VERSION_META)
    if given is None:
        return None
    version = parsed_version(given)
    if version is None:
        text = _("This is no version of the app. Send one such as 1.4.2, or leave the header out.")
        return InvalidError(errors={APP_VERSION_HEADER: [("invalid", text)]})
    if version < minimum_version():
        return AppTooOldError(minimum_app_version=settings.MINIMUM_APP_VERSION)
    return None


def minimum_version() -> tuple[int, ...]:
    """``MINIMUM_APP_VERSION`` as numbers. Raises ImproperlyConfigured where it is no version."""
    version = parsed_version(settings.MINIMUM_APP_VERSION)
    if version is None:
        raise ImproperlyConfigured("MINIMUM_APP_VERSION is no version. Write one such as 1.4.2.")
    return version


@lru_cache(maxsize=256)
def parsed_version(text: str) -> tuple[int, ...] | None:
    """The numbers of ``text`` ("1.4" and "1.4.0" are equal), None for what is no version."""
    if not _APP_VERSION.fullmatch(text):
        return None
    numbers = [int(part) for part in text.split(".")]
    return tuple(numbers + [0] * (_NUMBERS - len(numbers)))


def describe_door(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of the OpenAPI document: what the middleware takes and answers on every route of the API."""
    if BOOTSTRAP not in result["paths"]:
        return result  # a part of the API on its own, without its door
    components = result["components"]
    components.setdefault("parameters", {})["AppVersion"] = {
        "in": "header",
        "name": APP_VERSION_HEADER,
        "schema": {"type": "string", "pattern": f"^{APP_VERSION_PATTERN}$", "examples": ["1.4.2"]},
        "description": (
            "The app's version. Below `minimum_app_version` of bootstrap every other route answers 426 "
            "`app_too_old`; without the header nothing is checked."
        ),
    }
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
    components.setdefault("responses", {}).update(
        AppTooOld={
            "description": "`app_too_old`: the app must be updated; `minimum_app_version` says to what.",
            "content": problem,
        },
        Maintenance={
            "description": "`maintenance`, with what members are told and `until` when. Bootstrap and "
            "time stay open.",
            "headers": {"Retry-After": seconds},
            "content": problem,
        },
    )
    for path, operations in result["paths"].items():
        if path == BOOTSTRAP:
            continue
        for operation in operations.values():
            parameters = operation.setdefault("parameters", [])
            parameters.append({"$ref": "#/components/parameters/AppVersion"})
            responses = operation["responses"]
            responses["426"] = {"$ref": "#/components/responses/AppTooOld"}
            if path in OPEN_IN_MAINTENANCE:
                continue
            if "503" in responses:
                responses["503"]["description"] += " Or `maintenance`: closed to members for a while."
            else:
                responses["503"] = {"$ref": "#/components/responses/Maintenance"}
    return result
