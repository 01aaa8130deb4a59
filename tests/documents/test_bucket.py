"""Files in a bucket: all that the folder can, against an S3 server of this machine."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from environ import Env
from moto.server import ThreadedMotoServer
from rest_framework.test import APIClient

from accounts.models import Member
from bcc.core.errors import NotFoundError
from bcc.settings.files import file_storage
from documents.models import BatchKind
from documents.services import assets
from documents.services.archives import batch_archive
from documents.services.assets import ORPHAN_AGE, key_of
from documents.services.places import internal_address
from documents.services.sweeping import verify_assets
from documents.storage.bucket import BLOCK, BucketStorage
from documents.views.files import SMALL
from tests.documents.papers import file_in_batch, make_batch, make_document

pytestmark = pytest.mark.django_db
KEYS = {"S3_ACCESS_KEY": "test", "S3_SECRET_KEY": "test", "S3_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Where a local S3 answers."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def bucket(store: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketStorage]:
    name = f"club-{uuid.uuid4().hex}"
    for variable, value in {**KEYS, "S3_BUCKET": name, "S3_ENDPOINT": store}.items():
        monkeypatch.setenv(variable, value)
    made = file_storage(Env(), settings.DATA_DIR)
    client = boto3.client(
        "s3", endpoint_url=store, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    client.create_bucket(Bucket=name)
    # By the same fixture as the tests: two that override would put things back in the wrong order.
    settings.STORAGES = {**settings.STORAGES, "default": made}
    found = storages["default"]
    assert isinstance(found, BucketStorage)
    yield found
    client.close()


class TestBucketStorage:
    def test_keeps_reads_and_keeps_once(self, now: datetime) -> None:
        body = bytes(range(256)) * 9000
        asset = assets.keep_bytes(body, media_type="application/pdf", now=now)
        assert assets.read_asset(asset) == body
        assert assets.keep(io.BytesIO(body), media_type="application/pdf", now=now).pk == asset.pk
        assert assets.local_path(asset) is None

    def test_reads_a_part_from_where_it_is_asked_for(self, now: datetime) -> None:
        body = bytes(range(256)) * (3 * BLOCK // 256)
        asset = assets.keep_bytes(body, media_type="application/pdf", now=now)
        with assets.open_asset(asset) as content:
            content.seek(2 * BLOCK + 5)
            assert content.read(10) == body[2 * BLOCK + 5 : 2 * BLOCK + 15]
            assert content.seek(-3, io.SEEK_END) == len(body) - 3
            assert content.read() == body[-3:]
            assert content.size == len(body)

    def test_says_that_what_is_not_there_is_not_there(self, now: datetime) -> None:
        asset = assets.keep_bytes(b"lost", media_type="text/plain", now=now)
        default_storage.delete(asset.key)
        with pytest.raises(NotFoundError):
            assets.read_asset(asset)
        assets.keep_bytes(b"lost", media_type="text/plain", now=now)
        assert assets.read_asset(asset) == b"lost"

    def test_puts_the_right_bytes_over_damaged_ones(self, now: datetime) -> None:
        asset = assets.keep_bytes(b"whole again", media_type="text/plain", now=now)
        default_storage.save(asset.key, ContentFile(b"who"))
        assets.keep_bytes(b"whole again", media_type="text/plain", now=now)
        assert assets.read_asset(asset) == b"whole again"

    def test_is_private(self, now: datetime, bucket: BucketStorage) -> None:
        asset = assets.keep_bytes(b"nobody else's", media_type="text/plain", now=now)
        grants = bucket.bucket.Object(asset.key).Acl().grants
        assert {grant["Grantee"]["Type"] for grant in grants} == {"CanonicalUser"}


class TestServing:
    def test_is_streamed_through_us_whatever_the_proxy_could(
        self, client_of: Callable[[Member], APIClient], owner: Member, now: datetime, settings: Any
    ) -> None:
        settings.FILES_BY_PROXY, settings.FILES_LINK_KEY = (
            True,
            "a-key-that-only-the-proxy-and-the-tests-know",
        )
        body = b"%PDF" + bytes(SMALL * 2)
        document = make_document(owner.membership, "2026-05", now=now, body=body)
        assert internal_address(document.asset) is None
        client, url = client_of(owner), f"/api/v1/documents/{document.public_id}"
        assert client.get(f"{url}/content").getvalue() == body
        part = client.get(f"{url}/content", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"%PDF")
        assert client.head(f"{url}/content")["Content-Length"] == str(len(body))
        assert client.post(f"{url}/link", {}).json()["checked_by"] == "application"

    def test_a_batch_is_taken_away(self, owner: Member, now: datetime) -> None:
        batch = make_batch(BatchKind.STATEMENT_ZIP, now=now)
        file_in_batch(batch, make_document(owner.membership, "2026-05", now=now))
        assert b"".join(batch_archive(batch)).startswith(b"PK")


class TestSweeping:
    def test_finds_and_removes_as_in_a_folder(self, owner: Member, now: datetime) -> None:
        # The store says itself when a file was written, by its own clock.
        later = datetime.now(now.tzinfo) + ORPHAN_AGE + timedelta(minutes=1)
        named = make_document(owner.membership, "2026-05", now=now).asset
        lost = make_document(owner.membership, "2026-04", now=now).asset
        default_storage.delete(lost.key)
        default_storage.save(key_of("a" * 64), ContentFile(b"nobody's"))
        report = verify_assets(now=later, repair=True)
        assert (report.checked, report.missing, report.orphans, report.removed) == (
            2, [lost.key], [key_of("a" * 64)], 1,
        )  # fmt: skip
        assert default_storage.exists(named.key)
        young = verify_assets(now=later - ORPHAN_AGE * 2, repair=True)
        assert young.removed == 0
