"""The one answer for stored bytes, without a proxy and for one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from bcc.core.errors import NotFoundError, PreconditionFailedError
from documents.models import Asset
from documents.services import assets
from documents.views.files import SMALL, Caching, etag_of_asset, file_response

pytestmark = pytest.mark.django_db

BODY = bytes(range(256)) * 40
LARGE = bytes(range(256)) * 4096


@pytest.fixture
def asset(now: datetime) -> Asset:
    return assets.keep_bytes(BODY, media_type="application/pdf", now=now)


@pytest.fixture
def large(now: datetime) -> Asset:
    return assets.keep_bytes(LARGE, media_type="application/pdf", now=now)


def ask(asset: Asset, method: str = "GET", **headers: str) -> Any:
    request = RequestFactory().generic(
        method, "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return file_response(request, asset, name="Estado Peña.pdf")


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response)


def files_of(response: Any) -> list[Any]:
    """What it closes at its end."""
    return [close.__self__.content for close in response._resource_closers]


class TestFileResponse:
    def test_gives_all_of_it_and_nobody_may_keep_it(self, asset: Asset) -> None:
        response = ask(asset)
        assert (response.status_code, body(response)) == (200, BODY)
        assert dict(response.items()) == {
            "ETag": f'"{asset.sha256[:32]}"',
            "Cache-Control": "private, no-store",
            "Content-Disposition": (
                "attachment; filename=\"Estado Pena.pdf\"; filename*=UTF-8''Estado%20Pe%C3%B1a.pdf"
            ),
            "X-Content-Type-Options": "nosniff",
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(BODY)),
            "Content-Type": "application/pdf",
        }

    def test_everybody_may_keep_what_never_changes(self, asset: Asset) -> None:
        response = file_response(
            RequestFactory().get("/"), asset, name="a.webp", caching=Caching.IMMUTABLE, inline=True,
            media_type="image/webp",
        )  # fmt: skip
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response["Content-Type"] == "image/webp"
        assert response["Content-Disposition"].startswith("inline;")

    def test_head_says_the_same_without_the_bytes(self, large: Asset) -> None:
        head, get = ask(large, "HEAD", Range="bytes=0-1"), ask(large)
        assert (head.status_code, body(head)) == (200, b"")
        assert dict(head.items()) == dict(get.items())
        get.close()

    @pytest.mark.parametrize(("header", "first", "last"), [("bytes=3-7", 3, 7), ("bytes=-5", 10235, 10239)])
    def test_gives_the_part_that_is_asked_for(self, asset: Asset, header: str, first: int, last: int) -> None:
        response = ask(asset, Range=header)
        assert (response.status_code, body(response)) == (206, BODY[first : last + 1])
        assert response["Content-Range"] == f"bytes {first}-{last}/{len(BODY)}"
        assert response["Content-Length"] == str(last + 1 - first)

    def test_streams_a_large_one_and_any_part_of_it(self, large: Asset) -> None:
        assert len(LARGE) > SMALL
        response = ask(large)
        assert response.streaming
        assert max(len(block) for block in response) <= 64 * 1024
        assert body(ask(large)) == LARGE
        part = ask(large, Range="bytes=100000-900000")
        assert (part.streaming, body(part)) == (True, LARGE[100_000:900_001])

    def test_closes_the_file_when_the_client_goes_away(self, large: Asset) -> None:
        response = ask(large)
        (content,) = files_of(response)
        response.close()
        assert content.closed

    def test_refuses_a_part_beyond_the_end_with_the_size(self, asset: Asset) -> None:
        response = ask(asset, Range="bytes=99999-")
        assert response.status_code == 416
        assert response["Content-Range"] == f"bytes */{len(BODY)}"
        assert response["Content-Type"] == "application/problem+json"

    def test_gives_all_for_several_parts(self, asset: Asset) -> None:
        response = ask(asset, Range="bytes=0-1,5-6")
        assert (response.status_code, body(response)) == (200, BODY)

    def test_goes_on_only_with_the_version_that_was_begun(self, asset: Asset) -> None:
        tag = etag_of_asset(asset)
        assert ask(asset, Range="bytes=5-", If_Range=tag).status_code == 206
        assert ask(asset, Range="bytes=5-", If_Range='"other"').status_code == 200

    @pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', "*"])
    def test_sends_nothing_to_who_has_it(self, asset: Asset, known: str) -> None:
        response = ask(asset, If_None_Match=known.format(etag_of_asset(asset)))
        assert (response.status_code, body(response)) == (304, b"")
        assert response["ETag"] == etag_of_asset(asset)
        assert "Content-Disposition" not in response

    def test_refuses_who_asks_for_another_version(self, asset: Asset) -> None:
        assert ask(asset, If_Match=etag_of_asset(asset)).status_code == 200
        with pytest.raises(PreconditionFailedError):
            ask(asset, If_Match='"other"')

    def test_is_not_there_when_storage_lost_it(self, asset: Asset) -> None:
        default_storage.delete(asset.key)
        with pytest.raises(NotFoundError):
            ask(asset)

    def test_breaks_off_where_the_file_lost_its_end(self, now: datetime) -> None:
        large = assets.keep_bytes(LARGE + b"of this test", media_type="application/pdf", now=now)
        with Path(default_storage.path(large.key)).open("r+b") as file:
            file.truncate(SMALL)
        with pytest.raises(OSError, match="shorter than its row"):
            body(ask(large))


class TestByProxy:
    @pytest.fixture(autouse=True)
    def by_proxy(self, settings: Any) -> None:
        settings.FILES_BY_PROXY = True

    def test_names_the_file_to_the_proxy_and_sends_no_byte(self, asset: Asset) -> None:
        response = ask(asset, Range="bytes=3-7")
        assert (response.status_code, body(response)) == (200, b"")
        assert response["X-Accel-Redirect"] == f"/_files/{asset.key}"
        assert response["ETag"] == etag_of_asset(asset)
        assert "Content-Length" not in response

    def test_refuses_and_spares_by_itself(self, asset: Asset) -> None:
        assert ask(asset, Range="bytes=99999-").status_code == 416
        assert ask(asset, If_None_Match=etag_of_asset(asset)).status_code == 304

    def test_keeps_from_it_what_it_would_judge_by_dates(self, asset: Asset) -> None:
        response = ask(asset, If_Unmodified_Since="Mon, 01 Jan 2001 00:00:00 GMT")
        assert (response.status_code, body(response)) == (200, BODY)

    def test_does_not_send_it_after_a_file_that_is_lost(self, asset: Asset) -> None:
        default_storage.delete(asset.key)
        with pytest.raises(NotFoundError):
            ask(asset)
