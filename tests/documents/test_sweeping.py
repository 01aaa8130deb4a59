"""What is lost is named, what is nobody's goes, and nothing that anybody needs is touched."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import override_settings

from accounts.models import Member
from documents.models import Asset
from documents.services import assets, sweeping
from documents.services.assets import ORPHAN_AGE, key_of
from documents.services.sweeping import verify_assets
from tests.documents.papers import make_document

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A folder of this test's own: the others' files have no rows here."""
    storages = {**settings.STORAGES}
    storages["default"] = {**storages["default"], "OPTIONS": {"location": str(tmp_path)}}
    with override_settings(STORAGES=storages):
        yield tmp_path


def aged(key: str, at: datetime) -> None:
    os.utime(default_storage.path(key), (at.timestamp(), at.timestamp()))


def put(key: str, at: datetime, body: bytes = b"nobody's") -> str:
    default_storage.save(key, ContentFile(body))
    aged(key, at)
    return key


class TestVerifyAssets:
    def test_finds_nothing_wrong_with_what_is_right(self, owner: Member, now: datetime) -> None:
        document = make_document(owner.membership, "2026-05", now=now - ORPHAN_AGE * 2)
        aged(document.asset.key, now - ORPHAN_AGE * 2)
        report = verify_assets(now=now, repair=True)
        assert (report.checked, report.bytes, report.removed) == (1, document.asset.size, 0)
        assert report.is_clean

    def test_names_what_is_missing_and_what_is_damaged(self, owner: Member, now: datetime) -> None:
        lost, longer, changed = (
            make_document(owner.membership, f"2026-0{month}", now=now).asset for month in (1, 2, 3)
        )
        default_storage.delete(lost.key)
        with Path(default_storage.path(longer.key)).open("ab") as file:
            file.write(b"x")
        body = bytearray(assets.read_asset(changed))
        body[5] ^= 1
        Path(default_storage.path(changed.key)).write_bytes(body)
        report = verify_assets(now=now, repair=True)
        assert (report.missing, set(report.damaged)) == ([lost.key], {longer.key, changed.key})
        assert report.removed == 0
        assert not report.is_well
        # By sizes alone the changed one is not seen.
        assert verify_assets(now=now, thorough=False).damaged == [longer.key]

    def test_removes_what_is_nobodys_and_old(self, now: datetime) -> None:
        old, young = now - ORPHAN_AGE, now - ORPHAN_AGE + timedelta(seconds=1)
        kept = assets.keep_bytes(b"just sent", media_type="text/plain", now=young)
        aged(kept.key, young)
        gone = assets.keep_bytes(b"never named", media_type="text/plain", now=old)
        aged(gone.key, old)
        orphan, half = put(key_of("a" * 64), old), put("assets/aa/bb/.part-x1", old)
        fresh = [put(key_of("b" * 64), young), put("assets/aa/bb/.part-x2", young)]
        looked = verify_assets(now=now)
        assert (looked.orphans, looked.partial, looked.unreferenced) == ([orphan], [half], [gone.key])
        assert looked.removed == 0
        assert default_storage.exists(gone.key)

        assert verify_assets(now=now, repair=True).removed == 4  # the row and its file are two
        for key in (orphan, half, gone.key):
            assert not default_storage.exists(key), key
        for key in (*fresh, kept.key):
            assert default_storage.exists(key), key
        assert list(Asset.objects.values_list("pk", flat=True)) == [kept.pk]
        assert verify_assets(now=now).is_clean

    def test_leaves_what_somebody_sends_again_meanwhile(self, now: datetime) -> None:
        old = now - ORPHAN_AGE
        first = assets.keep_bytes(b"sent twice", media_type="text/plain", now=old)
        aged(first.key, old)
        put(key_of("a" * 64), old, body=b"x")
        again = assets.keep(io.BytesIO(b"sent twice"), media_type="text/plain", now=now)
        assert again.pk == first.pk
        verify_assets(now=now, repair=True)
        assert assets.read_asset(again) == b"sent twice"

    def test_a_row_that_was_swept_under_the_sender_is_made_anew(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = assets.keep_bytes(b"at the same moment", media_type="text/plain", now=now - ORPHAN_AGE)
        update = QuerySet.update

        def swept_first(self: Any, **values: Any) -> int:
            Asset.objects.filter(pk=first.pk).delete()
            default_storage.delete(first.key)
            return int(update(self, **values))

        with monkeypatch.context() as patched:
            patched.setattr(QuerySet, "update", swept_first)
            again = assets.keep_bytes(b"at the same moment", media_type="text/plain", now=now)
        assert again.pk != first.pk
        assert assets.read_asset(again) == b"at the same moment"

    def test_a_row_named_meanwhile_is_not_deleted(self, owner: Member, now: datetime) -> None:
        document = make_document(owner.membership, "2026-05", now=now - ORPHAN_AGE)
        assert not sweeping._forget(pk=document.asset_id, now=now)
        assert Asset.objects.filter(pk=document.asset_id).exists()

    def test_looks_page_by_page(self, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "PAGE", 2)
        for number in range(5):
            asset = assets.keep_bytes(b"%d" % number, media_type="text/plain", now=now - ORPHAN_AGE)
            aged(asset.key, now - ORPHAN_AGE)
        told: list[int] = []
        report = verify_assets(now=now, repair=True, told=told.append)
        assert (report.checked, told, report.removed) == (5, [2, 4], 10)


class TestCommand:
    def run(self, *options: str) -> str:
        out = io.StringIO()
        call_command("verify_assets", *options, stdout=out)
        return out.getvalue()

    def test_says_that_all_is_well(self, owner: Member, travel: object, now: datetime) -> None:
        make_document(owner.membership, "2026-05", now=now)
        assert "Every file is as it should be." in self.run()

    def test_fails_for_what_is_lost_and_says_what_to_do(
        self, owner: Member, travel: object, now: datetime
    ) -> None:
        document = make_document(owner.membership, "2026-05", now=now)
        default_storage.delete(document.asset.key)
        with pytest.raises(CommandError, match="from a backup"):
            self.run("--repair")

    def test_offers_the_repair_and_makes_it(self, travel: object, now: datetime) -> None:
        put(key_of("a" * 64), now - ORPHAN_AGE)
        with pytest.raises(CommandError, match="--repair"):
            self.run("--quick")
        assert "Deleted: 1." in self.run("--repair")
        assert "Every file" in self.run()


class TestKeep:
    def test_puts_the_right_bytes_over_damaged_ones(self, now: datetime) -> None:
        asset = assets.keep_bytes(b"whole again", media_type="text/plain", now=now)
        Path(default_storage.path(asset.key)).write_bytes(b"who")
        assets.keep_bytes(b"whole again", media_type="text/plain", now=now)
        assert assets.read_asset(asset) == b"whole again"
