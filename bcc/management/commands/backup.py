"""``manage.py backup``: the database and the stored files in one archive, while the server runs."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from bcc.health import BACKUP_FOLDER
from bcc.management.archive.backup import MIB, make_backup
from bcc.management.archive.engines import engine_of
from bcc.management.archive.errors import ArchiveError, sentence
from bcc.management.archive.signals import interrupted_by_sigterm


class Command(BaseCommand):
    help = (
        "Writes the database and the stored files into one archive, while the server runs. The keys are "
        "NOT in it (keys.json in the data folder, or SECRET_KEY, JWT_KEY and OTP_KEY): keep them apart, "
        "under lock. Neither are the demo's sign-ins and outbox, logs and caches. The archive holds "
        "members' data and is not encrypted; its mode is 0600."
    )
    # It must work while another part of the configuration does not.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            help="A folder, where the archive gets a name by its time, or a file ….tar.gz that does not "
            "exist yet (default: backups in the data folder).",
        )
        parser.add_argument(
            "--keep",
            type=_at_least_one,
            help="Afterwards remove the oldest archives of that folder beyond this many. Only those that "
            "are named by their time are counted.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        wanted = options["to"] or Path(settings.DATA_DIR) / BACKUP_FOLDER
        try:
            with interrupted_by_sigterm():
                # The machine's time: the demo's own clock may stand anywhere.
                made = make_backup(
                    engine=engine_of(connection),
                    wanted=wanted,
                    keep=options["keep"],
                    now=datetime.now(UTC),
                    say=self.say,
                )
        except KeyboardInterrupt:
            raise CommandError("Stopped. There is no new archive.") from None
        except (ArchiveError, OSError) as error:
            raise CommandError(f"{sentence(error)} There is no new archive.") from error
        for path in made.removed:
            self.say(f"removed {path.name}")
        seconds = time.monotonic() - began
        self.stdout.write(f"{made.path}  {made.size / MIB:.1f} MiB  {seconds:.1f} s")

    def say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def _at_least_one(text: str) -> int:
    """A number of archives. Raises what argparse shows beside the option."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is too few. Keep one or more.")
    return int(text)
