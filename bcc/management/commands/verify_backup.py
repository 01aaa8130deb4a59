"""``manage.py verify_backup``: would this archive restore?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.management.archive.backup import MIB
from bcc.management.archive.errors import ArchiveError, sentence
from bcc.management.archive.manifest import Manifest
from bcc.management.archive.verify import verify_archive


class Command(BaseCommand):
    help = (
        "Reads an archive of `backup` to its last byte: every hash and size, nothing missing, nothing "
        "foreign, and a database that is sound (SQLite: checked whole and counted; PostgreSQL: its table "
        "of contents, by pg_restore). Needs room for the database in the temporary folder (TMPDIR). "
        "Changes nothing; exits 1 for any damage."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The archive.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = verify_archive(options["file"])
        except (ArchiveError, OSError) as error:
            raise CommandError(sentence(error)) from error
        for line in described(manifest):
            self.stdout.write(f"  {line}")
        self.stdout.write("The archive is whole.")


def described(manifest: Manifest) -> list[str]:
    """What an archive holds, line by line for a person."""
    contents, files = manifest.contents, manifest.files
    size = sum(manifest.members[name].size for name in files)
    database = (
        f"database: {contents.engine} {contents.version}, {sum(contents.rows.values())} rows in "
        f"{len(contents.rows)} tables, {len(contents.migrations)} migrations"
    )
    return [
        f"made {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC by version {manifest.project_version}",
        database,
        f"files: {len(files)}, {size / MIB:.1f} MiB",
    ]
