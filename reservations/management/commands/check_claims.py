"""``manage.py check_claims``: does every reservation hold exactly the places that its state says?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from reservations.management.said import say_rows
from reservations.models import Reservation
from reservations.services.claims_audit import check_claims, remove_stray_claims


class Command(BaseCommand):
    help = (
        "Compare every claim on a place with its reservation. Exits 0 if all is well, and 1 if a reservation "
        "that is over still holds a place (stray) or one that stands does not hold exactly its own (wrong)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Free what is stray. What is wrong is left for people: somebody else may have the place.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        audit = check_claims(now=clock.now())
        self._tell("stray: over, and still holding a place", audit.stray)
        self._tell("wrong: standing, without exactly the place that is theirs", audit.missing)
        if options["repair"] and audit.stray:
            freed = remove_stray_claims(reservation_ids=audit.stray)
            self.stdout.write(f"Stray claims freed: {freed}.")
            audit = check_claims(now=clock.now())
        if audit.missing:
            raise CommandError(
                f"Without their place: {len(audit.missing)}. Call the members, and cancel or move the "
                "reservations in the back office."
            )
        if audit.stray:
            raise CommandError(f"Stray: {len(audit.stray)}. Run it again with --repair.")
        self.stdout.write("Every claim is as it should be.")

    def _tell(self, heading: str, ids: Sequence[int]) -> None:
        if ids:
            self.stdout.write(f"{heading}:")
            rows = Reservation.objects.filter(pk__in=ids).select_related("facility", "member")
            say_rows(self.stdout, rows.order_by("starts_at", "pk"))
