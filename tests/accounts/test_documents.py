"""What the documents say of accounts is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


class TestPrivacy:
    @pytest.mark.parametrize(
        "model", [model.__name__ for model in apps.get_app_config("accounts").get_models()]
    )
    def test_the_inventory_names_every_table(self, model: str) -> None:
        assert f"`{model}`" in (DOCS / "privacy.md").read_text()

    def test_names_every_retention(self) -> None:
        text = (DOCS / "privacy.md").read_text()
        named = {name.lower() for name in re.findall(r"RETENTION_([A-Z_]+)", text)} - {"days"}
        assert named - {""} <= {*settings.RETENTION_DAYS}


class TestAsvs:
    def test_every_test_that_it_names_is_there(self) -> None:
        root = DOCS.parent
        files = {path.name: path for path in (root / "tests").rglob("test_*.py")}
        for text in re.findall(r"`([\w/]*test_\w+\.py(?:::\w+)?)`", (DOCS / "asvs.md").read_text()):
            name, _sign, inner = text.partition("::")
            path = files.get(name.rpartition("/")[2])
            assert path is not None, text
            assert not inner or re.search(rf"(class|def) {inner}\b", path.read_text()), text

    def test_every_file_of_the_code_that_it_names_is_there(self) -> None:
        root = DOCS.parent
        for text in re.findall(
            r"`((?:accounts|bcc|tests|docs)/[\w/]+\.\w+)(?:::\w+)?`", (DOCS / "asvs.md").read_text()
        ):
            assert (root / text).exists(), text
