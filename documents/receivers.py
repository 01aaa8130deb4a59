"""What documents do when something happens elsewhere."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from documents.models import KindRule
from documents.services.defaults import sync_defaults


def set_up(using: str = DEFAULT_DB_ALIAS, **_kwargs: Any) -> None:
    """After migrate: a new club has rules, patterns and regions to begin with."""
    # Migrated back to nothing, the app is still told that a migrate is over.
    if (
        using == DEFAULT_DB_ALIAS
        and KindRule._meta.db_table in connections[using].introspection.table_names()
    ):
        sync_defaults()
