from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.bcc.backups import Club, copied, fill
from tests.once import made_once


@pytest.fixture(scope="module")
def original() -> Club:
    return Club(made_once("club", fill))


@pytest.fixture
def club(original: Club, tmp_path: Path, settings: Settings) -> Club:
    """A copy for one test to spoil, which the settings name."""
    copy = copied(original, tmp_path / "club")
    settings.DATA_DIR = copy.folder
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(copy.files)},
        },
    }
    return copy


@pytest.fixture
def archive(club: Club) -> Path:
    return club.back_up()
