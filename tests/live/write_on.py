"""Write pairs of rows, each after the file that it names, until somebody ends the process.

Run beside a backup: whatever moment the backup shows, both tables hold the same numbers in it, and
every number has its file.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps come first
from django.db import connection, transaction  # noqa: E402

LEAST = 20


def main() -> None:
    folder = Path(settings.DATA_DIR) / "files" / "probe"
    folder.mkdir(parents=True, exist_ok=True)
    with connection.cursor() as cursor:
        for table in ("probe_left", "probe_right"):
            cursor.execute(f"CREATE TABLE {table} (number integer PRIMARY KEY)")
        for number in itertools.count(1):
            (folder / f"{number}.bin").write_bytes(b"x" * number)
            with transaction.atomic():
                cursor.execute("INSERT INTO probe_left VALUES (%s)", [number])
                cursor.execute("INSERT INTO probe_right VALUES (%s)", [number])
            if number == LEAST:
                print("writing", flush=True)


main()
