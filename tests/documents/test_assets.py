from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bcc.core.errors import NotFoundError
from documents.models import Asset
from documents.services import assets
from documents.storage import DurableFileSystemStorage

pytestmark = pytest.mark.django_db


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


class TestKeep:
    def test_stores_the_bytes_under_their_hash(self, now: datetime) -> None:
        asset = assets.keep_bytes(b"a statement", media_type="application/pdf", now=now)
        assert (asset.size, asset.media_type) == (11, "application/pdf")
        assert asset.key.endswith(asset.sha256)
        assert assets.read_asset(asset) == b"a statement"

    def test_keeps_the_same_bytes_once(self, now: datetime) -> None:
        first = assets.keep_bytes(b"the same", media_type="text/plain", now=now)
        again = assets.keep(io.BytesIO(b"the same"), media_type="text/plain", now=now)
        assert again.pk == first.pk
        assert Asset.objects.count() == 1

    def test_writes_bytes_again_that_the_disk_lost(self, now: datetime) -> None:
        asset = assets.keep_bytes(b"lost", media_type="text/plain", now=now)
        default_storage.delete(asset.key)
        with pytest.raises(NotFoundError):
            assets.read_asset(asset)
        assets.keep_bytes(b"lost", media_type="text/plain", now=now)
        assert assets.read_asset(asset) == b"lost"

    def test_joins_a_row_that_another_wrote_at_the_same_moment(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = assets.keep_bytes(b"both", media_type="text/plain", now=now)

        class Blind:
            def first(self) -> None:
                return None

        monkeypatch.setattr(type(Asset.objects), "filter", lambda *_args, **_kwargs: Blind())
        again = assets.keep_bytes(b"both", media_type="text/plain", now=now)
        assert again.pk == first.pk


class TestSpooled:
    def test_refuses_more_than_the_limit(self) -> None:
        with (
            pytest.raises(assets.FileTooLargeError) as refused,
            assets.spooled([b"x" * 10, b"x"], limit=10),
        ):
            pass
        assert refused.value.extra == {"limit": 10}


class TestDurableFileSystemStorage:
    def test_leaves_nothing_of_a_file_that_broke_off(self, tmp_path: Path) -> None:
        storage = DurableFileSystemStorage(location=str(tmp_path))

        class Broken(ContentFile[bytes]):
            def chunks(self, chunk_size: int | None = None) -> Any:
                yield b"half"
                raise OSError("the line went")

        with pytest.raises(OSError, match="the line went"):
            storage.save("a/b", Broken(b""))
        assert files_in(tmp_path) == []

    def test_keeps_the_name_it_was_given(self, tmp_path: Path) -> None:
        storage = DurableFileSystemStorage(location=str(tmp_path))
        storage.save("a/b", ContentFile(b"one"))
        assert storage.save("a/b", ContentFile(b"two")) == "a/b"
        assert files_in(tmp_path) == ["b"]
