"""``manage.py revoke_sessions``: end every session and socket of somebody, or of everybody."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Session
from accounts.selectors.people import find_user
from accounts.services.sessions import log_out_everywhere
from bcc.core import clock


class Command(BaseCommand):
    help = (
        "End every session, socket and open code of a user, named by member number, e-mail, mobile or staff "
        "name; or of everybody who is signed in, after a breach. Nobody's password changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", nargs="?", help="Whom. Not with --everybody.")
        parser.add_argument("--everybody", action="store_true", help="All who are signed in.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; count.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if bool(options["who"]) is options["everybody"]:
            raise CommandError("Say whom, or --everybody.")
        if options["everybody"]:
            ids = list(
                Session.objects.live(now).values_list("user_id", flat=True).distinct().order_by("user_id")
            )
        else:
            user = find_user(options["who"])
            if user is None:
                raise CommandError(f"There is nobody called {options['who']}.")
            ids = [user.pk]
        if not options["dry_run"]:
            for user_id in ids:
                log_out_everywhere(user_id=user_id, now=now)
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(f"The sessions of {len(ids)} users {verb} ended.")
