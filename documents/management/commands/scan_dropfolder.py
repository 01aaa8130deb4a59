"""``manage.py scan_dropfolder``: one look into the drop folder, as the scheduler takes each minute."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bcc.core import clock
from documents.services.dropfolder import scan_dropfolder


class Command(BaseCommand):
    help = (
        "Look once into the drop folder (FINANCE_DROP_FOLDER). A file is taken at the second look at which "
        "its size and time are the same; the scheduler looks each minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.FINANCE_DROP_FOLDER:
            raise CommandError("There is no drop folder. Set FINANCE_DROP_FOLDER.")
        looked = scan_dropfolder(now=clock.now())
        self.stdout.write(f"{looked.taken} taken, {looked.failed} failed, {looked.waiting} still waiting.")
        if looked.failed:
            raise CommandError("See the notes in the folder `failed`.")
