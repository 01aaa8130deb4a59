"""``manage.py anonymise_member NUMBER``: make a member nobody in particular, for ever."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Member
from accounts.policies.identifiers import member_number_key
from accounts.services.personal_data import anonymise_member, counts_of
from bcc.core import clock
from bcc.core.errors import DomainError


class Command(BaseCommand):
    help = (
        "Delete names, addresses, devices, messages and histories of a member, close the account, and keep "
        "what the statistics count. The member number stays, because it is never used again. It cannot be "
        "undone; without --yes nothing is changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("member_no", help="The member's number, in any spelling.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; count what would go.")
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        key = member_number_key(options["member_no"])
        member = Member.objects.select_related("user").filter(member_no_key=key).first()
        if member is None:
            raise CommandError(f"There is no member {options['member_no']}.")
        for name, count in counts_of(member).items():
            self.stdout.write(f"{count:6d}  {name}")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
            return
        if not options["yes"]:
            raise CommandError("Nothing was changed. Say --yes to do it; it cannot be undone.")
        try:
            anonymise_member(member=member, now=clock.now())
        except DomainError as error:
            raise CommandError(str(error.detail)) from error
        self.stdout.write(f"{member.member_no} is nobody in particular now.")
