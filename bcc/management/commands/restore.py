"""``manage.py restore``: what an archive holds, in the place of what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from bcc.management.archive.engines import engine_of
from bcc.management.archive.errors import ArchiveError, HalfwayError, sentence
from bcc.management.archive.restore import missing_migrations, put_in_place, staged_archive
from bcc.management.archive.signals import interrupted_by_sigterm
from bcc.management.commands.verify_backup import described


class Command(BaseCommand):
    help = (
        "Puts the database and the stored files of an archive in the place of what is there, which is "
        "LOST. The server, its workers and its scheduler must be stopped. The archive is verified first; "
        "if anything fails, what was there is put back. The keys are not in an archive: put keys.json, or "
        "the three variables, in place yourself. Needs room for a second copy of everything."
    )
    # There may be no database yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The archive.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        connections.close_all()
        try:
            with interrupted_by_sigterm():
                self.restore(options["file"], is_asked=not options["yes"])
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was there is in its place.") from None
        except HalfwayError as error:
            raise CommandError(str(error)) from error
        except (ArchiveError, OSError) as error:
            raise CommandError(f"{sentence(error)} What was there is in its place.") from error

    def restore(self, archive: Path, *, is_asked: bool) -> None:
        """Verify, ask, exchange, compare, and say what is left to do."""
        engine = engine_of(connection)
        self.say("The server must be stopped. Verifying the archive:")
        with staged_archive(engine=engine, archive=archive) as staged:
            for line in described(staged.manifest):
                self.say(line)
            if is_asked:
                self.ask()
            put_in_place(engine=engine, staged=staged, say=self.say)
            missing = missing_migrations(staged.manifest)
        self.stdout.write("The club is restored.")
        if missing:
            self.stdout.write(
                f"The archive is older than this code by {len(missing)} migrations: run `migrate` before "
                "the server starts."
            )

    def ask(self) -> None:
        """Raises CommandError unless the person types the word."""
        try:
            answer = input("What is there now will be lost. Type 'restore' to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "restore":
            raise CommandError("Nothing was changed.")

    def say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()
