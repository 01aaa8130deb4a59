"""What the scripts that prepare a club share. Imported once Django is set up."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection


def make_tables() -> None:
    """Migrate a database that has no tables; one that was copied with them is left as it is."""
    if "django_migrations" not in connection.introspection.table_names():
        call_command("migrate", verbosity=0)
