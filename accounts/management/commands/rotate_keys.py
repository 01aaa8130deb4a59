"""``manage.py rotate_keys``: sign tokens with a new key, without signing anybody out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.keys import current_keys, rotate_keys
from bcc.core import clock


class Command(BaseCommand):
    help = (
        "Sign tokens with a new key from now on. Those signed with the present one are accepted until the "
        "next rotation, so nobody is signed out; run it twice to end what the present key signed. The keys "
        "are kept in JWT_KEYS_FILE, which every server process must read: they follow within a second."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; list the keys.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            try:
                rotate_keys(now=clock.now())
            except OSError as error:
                raise CommandError(
                    f"{settings.JWT_KEYS_FILE} cannot be written: {error.strerror}."
                ) from error
        for number, key in enumerate(current_keys()):
            made = "of unknown age" if key.made_at is None else f"made at {key.made_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{key.kid}  {made}, {'accepted still' if number else 'signs'}")
