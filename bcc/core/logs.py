"""Structured logs that carry no secret and no forged line.

Everything that logs, structlog or the standard library, passes ``redact`` last: values under the
keys of secrets go, telephone numbers keep their last three digits, and what looks like a token, a
mail address or a long number is masked wherever it stands. In production a line is one JSON
object; in development it is for reading. Control characters never reach a line as themselves.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

GONE: Final = "[redacted]"
MAX_DEPTH: Final = 6
MAX_TEXT: Final = 20_000

# Parts of a key's name that make its value a secret, whatever it looks like.
_SECRET_PARTS: Final = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "ticket", "otp",
    "one_time", "credential", "api_key", "apikey", "private_key", "jwt_key", "session_key", "grant",
)  # fmt: skip
_SECRET_KEYS: Final = frozenset({"pin", "jti", "body", "identifier", "destination"})
_ADDRESS_PARTS: Final = ("email", "e_mail")
_PHONE_PARTS: Final = ("mobile", "phone", "msisdn")
# Ours, of known shape, on every line.
_SAFE_KEYS: Final = frozenset({"timestamp", "level", "logger", "request_id", "status", "duration_ms"})
# The code of an error is wanted; a one-time code under the same name is not.
_ERROR_CODE: Final = re.compile(r"[a-z]+(?:[_.][a-z]+)*")

_MASKED: Final = re.compile(
    r"""
      (?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
    | (?P<instant>\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)
    | (?P<jwt>\beyJ[\w-]+(?:\.[\w-]+){1,4})
    | (?P<bearer>\b(?:Bearer|Basic)\s+[\w.~+/=-]+)
    | (?P<pair>\b[\w-]*(?:password|passwd|secret|token|ticket|authorization|otp|cookie)
        ["']?\s*(?:=|:)\s*["']?)
      (?P<value>[^\s"'&;,}\]]+)
    | (?P<code>\bcode["']?\s*(?:=|:)\s*["']?)(?P<digits>\d[\d\s-]{2,11}\d)
    | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<number>(?<![\w.])\+?\d(?:[ ()-]{0,2}\d){8,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
# C0 and C1 controls, and the separators that some viewers break lines at.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_NEWLINE: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def masked(text: str) -> str:
    """``text`` without tokens, addresses, long numbers, or secrets in ``name=value`` pairs."""
    return _MASKED.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups["uuid"] or groups["instant"]:
        return match[0]
    if groups["pair"]:
        return groups["pair"] + GONE
    if groups["code"]:
        return groups["code"] + GONE
    if groups["number"]:
        return _last_three(match[0])
    return GONE


def _last_three(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return f"***{digits[-3:]}" if len(digits) > 5 else GONE


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def redact(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> EventDict:
    """The processor: every value of ``event`` as it may be written."""
    return {_safe_text(str(key)): _redacted(str(key), value, 0) for key, value in event.items()}


def _redacted(key: str, value: Any, depth: int) -> Any:
    name = key.lower().replace("-", "_")
    if name in _SAFE_KEYS:
        return _safe_text(value) if isinstance(value, str) else value
    if value is None or isinstance(value, bool):
        return value
    if name in _SECRET_KEYS or any(part in name for part in _SECRET_PARTS):
        return GONE
    if name == "code" and not (isinstance(value, str) and _ERROR_CODE.fullmatch(value)):
        return GONE
    if any(part in name for part in _ADDRESS_PARTS):
        return GONE
    if any(part in name for part in _PHONE_PARTS):
        return _last_three(str(value))
    if isinstance(value, int | float):
        return value
    if name in {"exception", "stack"}:
        return _trace(str(value))
    if depth >= MAX_DEPTH:
        return GONE
    if isinstance(value, Mapping):
        return {
            _safe_text(str(inner)): _redacted(str(inner), item, depth + 1) for inner, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", item, depth + 1) for item in value]
    return _safe_text(masked((value if isinstance(value, str) else str(value))[:MAX_TEXT]))


def _safe_text(text: str) -> str:
    return _CONTROL.sub(_escaped, text)


def _trace(text: str) -> str:
    """A traceback keeps its lines, each indented, so that none can pass for a line of the log."""
    lines = _CONTROL_BUT_NEWLINE.sub(_escaped, masked(text[:MAX_TEXT])).split("\n")
    return "\n".join(f"  {line}" for line in lines)


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    """``06:59:00 info     logger  event  key=value``, without colours: it is piped as often as read."""
    moment = str(event.pop("timestamp", ""))[11:19]
    level = str(event.pop("level", ""))
    name = str(event.pop("logger", ""))
    said = str(event.pop("event", ""))
    traces = [str(event.pop(key)) for key in ("stack", "exception") if key in event]
    pairs = " ".join(f"{key}={value}" for key, value in event.items())
    return "\n".join([f"{moment} {level:<8}{said}  {pairs}  [{name}]".rstrip(), *traces])


class ReadyLine(dict[str, Any]):
    """The event of a line that is complete and redacted: the formatter only renders it."""


class _LineFormatter(structlog.stdlib.ProcessorFormatter):
    """structlog's, with a short way for what is ready."""

    def __init__(self, *, renderer: Processor, **rest: Any) -> None:
        rest["processors"] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer]
        super().__init__(**rest)
        self._renderer = renderer

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, ReadyLine):
            return str(self._renderer(None, "info", dict(record.msg)))
        return super().format(record)


def write_line(logger: logging.Logger, event: str, **pairs: Any) -> None:
    """The line that ``structlog.get_logger(logger.name).info(event, **pairs)`` writes, for less.

    For what is logged at each request: no processors, and what was redacted once is remembered.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    line = ReadyLine()
    for pair in (structlog.contextvars.get_contextvars(), pairs):
        for key, value in pair.items():
            line[key] = _redacted_text(key, value) if type(value) is str else _redacted(key, value, 0)
    line["event"] = event
    line["logger"] = logger.name
    line["level"] = "info"
    line["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    logger.handle(logger.makeRecord(logger.name, logging.INFO, "", 0, line, (), None))


@lru_cache(maxsize=1_024)
def _remembered(key: str, text: str) -> Any:
    return _redacted(key, text, 0)


def _redacted_text(key: str, text: str) -> Any:
    # An id is another one each time: it would only push the others out.
    return _redacted(key, text, 0) if key in _SAFE_KEYS else _remembered(key, text)


_SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def configure() -> None:
    """Send structlog through the standard library, so that one formatter writes every line."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """Django's ``LOGGING``: one handler, one formatter, redaction right before rendering."""
    configure()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": _LineFormatter,
                "foreign_pre_chain": _SHARED,
                "renderer": _as_json if as_json else _as_text,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Their own handlers (mail to admins, the development server's lines) would go past redaction.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Every 4xx is a warning there; the request line says the same with its route.
            "django.request": {"level": "ERROR"},
            # One line a tick and one a task are noise where a minute has six.
            "celery.beat": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
        },
    }
