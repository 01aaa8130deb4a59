"""``manage.py maintenance``: shut the API while the server is looked after, without a restart."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.maintenance import Maintenance, current_maintenance, switch_off, switch_on


class Command(BaseCommand):
    help = (
        "Shuts the API for maintenance, or opens it again, in every process that shares the data folder, "
        "at the next request. Apps are told the message and until when; bootstrap, time, the back office "
        "and open sockets stay. It asks neither the database nor Redis. Without on or off it says how "
        "it stands. It stays on until it is switched off, also when --until has passed."
    )
    # It must work while the database is away.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", nargs="?", choices=["on", "off"], help="Shut it, or open it again.")
        parser.add_argument(
            "--until", help="When it should be over, with an offset, as in 2026-12-24T06:00+08:00."
        )
        parser.add_argument("--message", default="", help="What members read; a usual sentence without it.")

    def handle(self, *args: Any, **options: Any) -> None:
        state: str | None = options["state"]
        if state != "on" and (options["until"] or options["message"]):
            raise CommandError("--until and --message belong to `maintenance on`.")
        if state == "on":
            self.say(switch_on(message=options["message"], until=_instant(options["until"])))
        elif state == "off":
            self.stdout.write("The API is open again." if switch_off() else "The API was open already.")
        else:
            self.say(current_maintenance())

    def say(self, maintenance: Maintenance | None) -> None:
        if maintenance is None:
            self.stdout.write("The API is open.")
            return
        until = maintenance.until
        shown = f" until {until.astimezone(clock.zone()):%A %d %B %Y, %H:%M}" if until else ""
        self.stdout.write(f"The API is shut for maintenance{shown}: {maintenance.message}")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no instant. Write it as in 2026-12-24T06:00+08:00.") from error
    if instant.tzinfo is None:
        raise CommandError(f"{text} has no offset. Write it as in 2026-12-24T06:00+08:00.")
    if instant <= clock.now():
        raise CommandError(f"{text} has passed. Give a time to come.")
    return instant
