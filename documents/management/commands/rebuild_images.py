"""``manage.py rebuild_images``: make variants anew after the way they are made has changed."""

from __future__ import annotations

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bcc.core import clock
from bcc.core.errors import DomainError
from documents.imaging.plan import RECIPE
from documents.isolation import Child, ChildFailedError
from documents.models import Image
from documents.services.images import LIMITS, WORK, rebuild

# A child's time of processor is bounded for its life.
_IMAGES_A_CHILD: Final = 50
_BETWEEN_WORDS: Final = 25


class Command(BaseCommand):
    help = (
        "Make the variants of images anew from their originals: of those that an older recipe made, or of "
        "all with --all. What is served meanwhile are the old ones. It may be stopped at any time; started "
        "again it goes on with what is left (with --all and --from, from that number on)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="Those of this recipe too.")
        parser.add_argument("--from", type=int, default=0, dest="first", help="Begin at this number.")
        parser.add_argument("--dry-run", action="store_true", help="Say how many there are; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Image.objects.filter(pk__gte=options["first"])
        if not options["all"]:
            rows = rows.made_by_older(RECIPE)
        total = rows.count()
        if options["dry_run"]:
            self.stdout.write(f"{total} to be made anew. Nothing was changed.")
            return
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        failed: list[str] = []
        done = 0
        for start in range(0, len(keys), _IMAGES_A_CHILD):
            with Child(WORK, LIMITS) as child:
                for pk in keys[start : start + _IMAGES_A_CHILD]:
                    why = self._rebuilt(pk, child)
                    if why:
                        failed.append(f"{pk}: {why}")
                        self.stderr.write(f"  {pk} stays as it is: {why}")
                    done += 1
                    if done % _BETWEEN_WORDS == 0 or done == total:
                        self.stdout.write(f"  {done} of {total}, up to number {pk}")
        if failed:
            raise CommandError(f"{total - len(failed)} made anew, {len(failed)} not: see above.")
        self.stdout.write(f"{total} made anew.")

    def _rebuilt(self, pk: int, child: Child) -> str:
        """Why it was not; empty if it was, or is gone."""
        image = Image.objects.select_related("original").filter(pk=pk).first()
        if image is None:
            return ""
        try:
            rebuild(image=image, child=child, now=clock.now())
        except (DomainError, ChildFailedError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""
