from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import Member, User
from documents.imaging.containers import is_bare
from documents.imaging.limits import MOST_BYTES
from documents.models import Image, ImagePurpose
from documents.serializers.images import version_of
from documents.services import images
from tests.documents import pictures
from tests.documents.test_images import photo_of, take

pytestmark = pytest.mark.django_db
ClientOf = Callable[[Member | User], APIClient]


def send(client: APIClient, content: bytes, *, purpose: str = "member_photo", **more: Any) -> Any:
    headers = more.pop("headers", {})
    file = SimpleUploadedFile("photo.jpg", content, content_type="image/jpeg")
    data = {"file": file, "purpose": purpose, **more}
    return client.post("/api/v1/images", data, format="multipart", headers=headers)


class TestUpload:
    def test_answers_with_the_image_whose_addresses_work(self, client_of: ClientOf, owner: Member) -> None:
        client = client_of(owner)
        answer = send(client, pictures.with_everything("JPEG"), alt="Me.")
        assert answer.status_code == 201
        image = answer.json()
        assert (image["width"], image["height"], image["alt"]) == (480, 640, "Me.")
        for variant in image["variants"]:
            got = client.get(variant["url"])
            assert got.status_code == 200
            assert got["Content-Type"] == variant["media_type"]
            assert len(got.getvalue()) == variant["bytes"]
            assert is_bare(got.getvalue(), variant["media_type"])

    def test_is_once_for_a_key_and_once_for_the_bytes(self, client_of: ClientOf, owner: Member) -> None:
        client = client_of(owner)
        key = {"Idempotency-Key": str(uuid4())}
        first = send(client, pictures.jpeg(), headers=key)
        again = send(client, pictures.jpeg(), headers=key)
        assert again["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()
        assert send(client, pictures.jpeg()).json()["id"] == first.json()["id"]
        assert send(client, pictures.jpeg(60, 60), headers=key).json()["code"] == "key_reused"
        assert Image.objects.count() == 1

    @pytest.mark.parametrize("name", ["an EPS, whatever its name", "an animated WebP", "a long strip"])
    def test_says_on_the_file_why_it_is_refused(self, client_of: ClientOf, owner: Member, name: str) -> None:
        content, codes = pictures.BAD[name]
        answer = send(client_of(owner), content())
        assert answer.status_code == 400
        (said,) = answer.json()["errors"]["file"]
        assert said["code"] in codes
        assert said["detail"].endswith(".")

    def test_refuses_a_body_that_is_too_large_before_it_is_read(
        self, client_of: ClientOf, owner: Member
    ) -> None:
        answer = send(client_of(owner), bytes(MOST_BYTES + 200_000))
        assert answer.status_code == 413

    def test_of_the_club_is_for_staff_who_may(
        self, client_of: ClientOf, owner: Member, make_staff: Callable[[str], User]
    ) -> None:
        assert send(client_of(owner), pictures.jpeg(), purpose="club").status_code == 403
        assert send(client_of(make_staff("Front Desk")), pictures.jpeg(), purpose="club").status_code == 403
        facilities = client_of(make_staff("Facilities"))
        assert send(facilities, pictures.jpeg(), purpose="club").status_code == 201
        assert send(facilities, pictures.jpeg()).status_code == 403  # no member, no photo

    def test_refuses_more_than_the_quota(
        self, client_of: ClientOf, owner: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(images, "MOST_IMAGES", 0)
        answer = send(client_of(owner), pictures.jpeg())
        assert (answer.status_code, answer.json()["code"]) == (422, "image_quota")

    def test_is_limited_by_person(
        self, client_of: ClientOf, owner: Member, stranger: Member, settings: LazySettings
    ) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"image_upload": "1/h"}
        client = client_of(owner)
        assert send(client, pictures.jpeg()).status_code == 201
        limited = send(client, pictures.jpeg())
        assert limited.status_code == 429
        assert int(limited["Retry-After"]) > 0
        assert send(client_of(stranger), pictures.jpeg()).status_code == 201


class TestVariant:
    @pytest.fixture
    def club(self, now: datetime) -> Image:
        content = pictures.saved(pictures.photo(1700, 900), "JPEG")
        return take(content, now)

    def url(self, client: APIClient, image: Image, name: str, media_type: str = "image/webp") -> str:
        shown = client.get(f"/api/v1/images/{image.public_id}").json()["variants"]
        found = next(one for one in shown if (one["name"], one["media_type"]) == (name, media_type))
        return str(found["url"])

    def test_of_the_club_is_kept_for_a_year_by_whom_it_was_given_to(
        self, client_of: ClientOf, stranger: Member, club: Image
    ) -> None:
        client = client_of(stranger)
        url = self.url(client, club, "small")
        answer = client.get(url)
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        bare = client.get(url.partition("?")[0])
        assert bare["Cache-Control"] == "private, no-store"
        assert client.get(f"{url[:-1]}_")["Cache-Control"] == "private, no-store"
        assert APIClient().get(url).status_code == 404

    def test_that_is_for_everyone_is_kept_by_everyone(self, club: Image) -> None:
        images.make_public(image=club)
        client = APIClient()
        answer = client.get(self.url(client, club, "small"))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"

    def test_of_a_person_is_kept_by_nobody(self, client_of: ClientOf, owner: Member, now: datetime) -> None:
        client = client_of(owner)
        url = self.url(client, photo_of(owner, now), "thumb")
        assert client.get(url)["Cache-Control"] == "private, no-store"

    def test_answers_head_and_range(self, client_of: ClientOf, stranger: Member, club: Image) -> None:
        client = client_of(stranger)
        url = self.url(client, club, "small")
        whole = client.get(url).getvalue()
        head = client.head(url)
        assert (head.status_code, int(head["Content-Length"])) == (200, len(whole))
        assert head.getvalue() == b""
        part = client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.getvalue()) == (206, whole[10:20])
        assert client.get(url, headers={"Range": "bytes=9999999-"}).status_code == 416

    def test_without_a_type_is_what_the_viewer_likes_best(
        self, client_of: ClientOf, stranger: Member, club: Image
    ) -> None:
        client = client_of(stranger)
        path = f"/api/v1/images/{club.public_id}/large"
        likes = client.get(path, headers={"Accept": "image/avif,image/webp,*/*"})
        assert likes["Content-Type"] == "image/avif"
        assert "Accept" in likes["Vary"]
        assert client.get(path, headers={"Accept": "image/png"})["Content-Type"] == "image/webp"
        assert client.get(path + ".avif")["Content-Type"] == "image/avif"

    @pytest.mark.parametrize(
        "name", ["original", "large.jpg", "large.", "..", "thumb.webp.webp", "huge.webp", "large.AVIF"]
    )
    def test_by_another_name_is_not_there(
        self, client_of: ClientOf, stranger: Member, club: Image, name: str
    ) -> None:
        answer = client_of(stranger).get(f"/api/v1/images/{club.public_id}/{name}")
        assert answer.status_code == 404

    def test_never_is_the_original(self, client_of: ClientOf, owner: Member, now: datetime) -> None:
        image = photo_of(owner, now)
        assert image.original_id not in image.variants.values_list("asset", flat=True)


class TestAnothers:
    """Another member, by id, by path, by range, by HEAD, by thumbnail: all like nothing."""

    def test_photo_is_not_there(
        self, client_of: ClientOf, owner: Member, stranger: Member, now: datetime
    ) -> None:
        image = photo_of(owner, now)
        base = f"/api/v1/images/{image.public_id}"
        version = version_of(image.variants.get(name="thumb"))
        for client in (client_of(stranger), APIClient()):
            for name in ("", "/thumb", "/thumb.webp", "/thumb.webp?v=", "/large"):
                path = base + name + (version if name.endswith("=") else "")
                for asked in (
                    client.get(path),
                    client.head(path),
                    client.get(path, headers={"Range": "bytes=0-1"}),
                    client.get(path, headers={"If-None-Match": "*"}),
                ):
                    assert asked.status_code == 404, path

    def test_photo_that_is_not_set_is_seen_by_nobody_else(
        self, client_of: ClientOf, owner: Member, spouse: Member, now: datetime
    ) -> None:
        image = take(pictures.jpeg(), now, purpose=ImagePurpose.MEMBER_PHOTO, by=owner)
        path = f"/api/v1/images/{image.public_id}"
        assert client_of(owner).get(path).status_code == 200
        assert client_of(spouse).get(path).status_code == 404

    def test_picture_of_a_chat_is_shown_to_its_sender_alone(
        self, client_of: ClientOf, owner: Member, spouse: Member, make_staff: Callable[[str], User]
    ) -> None:
        sent = send(client_of(owner), pictures.jpeg(), purpose="chat")
        assert sent.status_code == 201, sent.content
        path = f"/api/v1/images/{sent.json()['id']}"
        assert client_of(owner).get(f"{path}/small").status_code == 200
        # Those who manage the club's pictures are no part of a conversation.
        manager = make_staff("Facilities")
        assert manager.has_perm("documents.view_image")
        for who in (spouse, manager):
            assert client_of(who).get(path).status_code == 404
            assert client_of(who).get(f"{path}/small").status_code == 404

    def test_photo_that_was_taken_away_is_gone_for_everybody(
        self, client_of: ClientOf, owner: Member, spouse: Member, now: datetime
    ) -> None:
        image = photo_of(owner, now)
        path = f"/api/v1/images/{image.public_id}/thumb"
        assert client_of(spouse).get(path).status_code == 200
        assert client_of(owner).delete("/api/v1/me/photo").status_code == 204
        assert client_of(owner).get(path).status_code == 404
        assert client_of(spouse).get(path).status_code == 404


class TestPhoto:
    def test_is_set_seen_by_the_household_and_taken_away(
        self, client_of: ClientOf, owner: Member, dependent: Member, stranger: Member
    ) -> None:
        client = client_of(owner)
        assert client.get("/api/v1/me/photo").json() == {"image": None, "household": []}
        sent = send(client, pictures.jpeg()).json()["id"]
        answer = client.put("/api/v1/me/photo", {"image": sent})
        assert answer.status_code == 200
        assert answer.json()["image"]["id"] == sent
        seen = client_of(dependent).get("/api/v1/me/photo").json()
        assert seen["image"] is None
        assert [(one["member"], one["image"]["id"]) for one in seen["household"]] == [
            (str(owner.public_id), sent)
        ]
        assert client_of(stranger).get("/api/v1/me/photo").json()["household"] == []
        assert client.delete("/api/v1/me/photo").status_code == 204
        assert client.get("/api/v1/me/photo").json() == {"image": None, "household": []}

    def test_asks_the_same_few_questions_however_many_live_there(
        self,
        client_of: ClientOf,
        owner: Member,
        spouse: Member,
        dependent: Member,
        now: datetime,
        django_assert_max_num_queries: Any,
    ) -> None:
        for number, member in enumerate((owner, spouse, dependent)):
            photo_of(member, now, seed=number)
        client = client_of(owner)
        client.get("/api/v1/me/photo")
        with django_assert_max_num_queries(6):
            assert len(client.get("/api/v1/me/photo").json()["household"]) == 3
