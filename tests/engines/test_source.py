from __future__ import annotations

from pathlib import Path

import pytest

from tests.bcc.conftest import ROOT
from tests.engines.source import json_fields, refused_in_files, refused_in_source
from tests.engines.tsql import OURS

PACKAGES = ("accounts", "bcc", "chat", "documents", "facilities", "metrics", "reservations")
NAMES = {"context", "properties"}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


class TestSource:
    def test_uses_nothing_that_sql_server_lacks(self) -> None:
        names = json_fields(OURS)
        assert {"context", "details", "properties"} <= names
        found = sources()
        assert len(found) > 150
        assert refused_in_files(found, json_names=names) == []


class TestRefusedInSource:
    @pytest.mark.parametrize(
        "source",
        [
            "rows.select_for_update(of=('self',))",
            "rows.select_for_update(nowait=True, of=('self',))",
            "rows.select_for_update(no_key=True)",
            "Row.objects.bulk_create(rows, ignore_conflicts=True)",
            "Row.objects.bulk_create(rows, update_conflicts=True, unique_fields=['a'], update_fields=['b'])",
            "def save(rows):\n    return store(rows, ignore_conflicts=True)",
            "rows.filter(name__regex='^a')",
            "rows.exclude(owner__name__iregex='^a')",
            "Q(**{'name__regex': '^a'})",
            "rows.filter(properties__contains={'rule': 'quota'})",
            "rows.filter(event__context__rules__contains='quota')",
            "Q(context__contained_by={})",
            "rows.filter(**{'properties__contains': {}})",
            "rows.order_by('a', 'b').distinct('a')",
            "from django.contrib.postgres.aggregates import ArrayAgg",
            "import django.contrib.postgres.search",
        ],
    )
    def test_notices_what_sql_server_lacks(self, source: str) -> None:
        assert list(refused_in_source(source, json_names=NAMES))

    @pytest.mark.parametrize(
        "source",
        [
            "rows.select_for_update()",
            "rows.select_for_update(nowait=True)",
            "Row.objects.bulk_create(rows, batch_size=100)",
            "rows.filter(name__contains='a', properties__rule='quota')",
            "rows.distinct()",
            "text = 'Say name__regex in a sentence.'",
            "shape(of='round')",
        ],
    )
    def test_passes_what_it_has(self, source: str) -> None:
        assert not list(refused_in_source(source, json_names=NAMES))
