"""The back office of images: who sees and sends them, what a refusal says, and what goes with a deletion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from documents.isolation import Child
from documents.models import Asset, Image
from tests.documents import pictures
from tests.documents.test_images import photo_of, take

pytestmark = pytest.mark.django_db
LIST = "/admin/documents/image/"


@pytest.fixture
def enter(travel: object) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def editor(enter: Callable[[User], Client], make_staff: Callable[[str], User]) -> Client:
    return enter(make_staff("Facilities"))


def sent(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("green.jpg", content, content_type="image/jpeg")


class TestAdd:
    def test_takes_a_picture_in_and_shows_it(self, editor: Client) -> None:
        body = {"upload": sent(pictures.with_everything("JPEG")), "alt": "The green.", "is_public": "on"}
        answer = editor.post(f"{LIST}add/", body, follow=True)
        image = Image.objects.get()
        assert (image.alt, image.is_public, image.purpose, image.width) == ("The green.", True, "club", 480)
        assert image.uploaded_by is not None
        text = answer.content.decode()
        assert reverse("admin:documents_image_variant", args=[image.pk, "thumb"]) in text

    def test_of_what_is_there_leads_to_it(self, editor: Client, now: datetime) -> None:
        known = take(pictures.jpeg(), now, alt="Known.")
        body = {"upload": sent(pictures.jpeg()), "alt": "", "_continue": "1"}
        answer = editor.post(f"{LIST}add/", body)
        assert answer["Location"].endswith(f"/{known.pk}/change/")
        assert Image.objects.get().alt == "Known."

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("an EPS, whatever its name", "no picture that is taken"),
            ("half a JPEG", "damaged or not complete"),
        ],
    )
    def test_says_why_a_file_is_refused(self, editor: Client, name: str, says: str) -> None:
        answer = editor.post(f"{LIST}add/", {"upload": sent(pictures.BAD[name][0]()), "alt": "x"})
        assert answer.status_code == 200
        assert says in str(answer.context["adminform"].form.errors["upload"])
        assert not Image.objects.exists()

    def test_without_a_file_asks_for_one(self, editor: Client) -> None:
        answer = editor.post(f"{LIST}add/", {"alt": "x"})
        assert "upload" in answer.context["adminform"].form.errors

    def test_decodes_outside_of_the_transaction(
        self, editor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        depth = len(connection.savepoint_ids)
        real, seen = Child.call, []

        def noted(child: Any, **arguments: Any) -> Any:
            seen.append(len(connection.savepoint_ids))
            return real(child, **arguments)

        monkeypatch.setattr(Child, "call", noted)
        editor.post(f"{LIST}add/", {"upload": sent(pictures.jpeg()), "alt": "x"})
        assert seen == [depth]

    def test_is_not_for_who_may_only_look(
        self, enter: Callable[[User], Client], front_desk: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Child, "call", None)  # nothing is decoded for them
        answer = enter(front_desk).post(f"{LIST}add/", {"upload": sent(pictures.jpeg())})
        assert answer.status_code == 403


class TestChange:
    def test_describes_and_shows_every_variant(self, editor: Client, now: datetime) -> None:
        image = take(pictures.jpeg(900, 600), now)
        page = f"{LIST}{image.pk}/change/"
        text = editor.get(page).content.decode()
        for variant in image.variants.all():
            assert f"/{image.pk}/variant/{variant.name}." in text
        assert editor.post(page, {"alt": "At dusk."}).status_code == 302
        image.refresh_from_db()
        assert image.alt == "At dusk."
        assert "At dusk." in editor.get(LIST, {"q": "dusk"}).content.decode()


class TestVariant:
    def test_is_served_to_staff_who_may_look_and_kept_by_nobody(
        self, enter: Callable[[User], Client], each_staff: User, owner: Member, now: datetime
    ) -> None:
        image = photo_of(owner, now)
        url = reverse("admin:documents_image_variant", args=[image.pk, "thumb"])
        answer = enter(each_staff).get(url)
        may = each_staff.has_perm("documents.view_image")
        assert answer.status_code == (200 if may else 403)
        if may:
            assert answer["Content-Type"] == "image/webp"
            assert "no-store" in answer["Cache-Control"]
        assert Client().get(url).status_code == 302

    @pytest.mark.parametrize("name", ["original", "thumb.jpg", "thumb.avif", "large.webp.x"])
    def test_by_another_name_is_not_there(self, editor: Client, now: datetime, name: str) -> None:
        image = take(pictures.jpeg(), now)
        image.variants.filter(media_type="image/avif").delete()
        assert editor.get(f"{LIST}{image.pk}/variant/{name}").status_code == 404
        assert editor.get(f"{LIST}999999/variant/thumb").status_code == 404


class TestDelete:
    def test_takes_the_files_rows_along(self, editor: Client, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        assert editor.post(f"{LIST}{image.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Image.objects.exists()
        assert not Asset.objects.exists()

    def test_of_several_does_so_too(self, editor: Client, now: datetime) -> None:
        rows = [take(pictures.jpeg(60 + number, 60), now) for number in range(2)]
        body = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
        editor.post(LIST, body)
        assert not Asset.objects.exists()

    def test_of_what_is_shown_is_refused_and_says_where(
        self, editor: Client, owner: Member, now: datetime
    ) -> None:
        image = photo_of(owner, now)
        answer = editor.post(f"{LIST}{image.pk}/delete/", {"post": "yes"})
        assert "protected related objects" in answer.content.decode()
        assert Image.objects.filter(pk=image.pk).exists()


class TestChoosing:
    def test_offers_the_clubs_pictures_and_nobodys_photo(
        self, editor: Client, owner: Member, now: datetime
    ) -> None:
        photo_of(owner, now)
        club = take(pictures.jpeg(), now, alt="The green.")
        asked = {"app_label": "facilities", "model_name": "announcement", "field_name": "image", "term": ""}
        found = editor.get("/admin/autocomplete/", asked).json()["results"]
        assert [one["id"] for one in found] == [str(club.pk)]
