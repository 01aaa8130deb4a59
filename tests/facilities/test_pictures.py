"""Pictures of facilities and content: sent in place, in order, and shown by the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Member, User
from documents.models import Image
from facilities.models import Announcement, Facility, FacilityImage, Rulebook
from facilities.services import save_content
from tests.documents import pictures
from tests.documents.test_images import photo_of, take
from tests.facilities.conftest import queries
from tests.facilities.test_admin import content_body
from tests.reservations.admin_places.pages import describing
from tests.reservations.bookings import book, wish_for

pytestmark = pytest.mark.django_db
ClientOf = Callable[[Member | User], APIClient]


def sent(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("green.jpg", content, content_type="image/jpeg")


class TestContent:
    def test_takes_a_picture_that_is_sent_with_it(self, editor: Client) -> None:
        body = content_body(upload=sent(pictures.jpeg()), upload_alt="Lamps.", image="")
        answer = editor.post("/admin/facilities/announcement/add/", body)
        assert answer.status_code == 302
        image = Announcement.objects.get().image
        assert image is not None
        assert (image.alt, image.is_public) == ("Lamps.", False)
        text = editor.get(f"/admin/facilities/announcement/{Announcement.objects.get().pk}/change/")
        assert f"/admin/documents/image/{image.pk}/variant/thumb" in text.content.decode()

    def test_takes_one_that_is_there_and_leaves_it_when_nothing_is_said(
        self, editor: Client, now: datetime
    ) -> None:
        image = take(pictures.jpeg(), now)
        body = content_body(image=image.pk)
        assert editor.post("/admin/facilities/promo/add/", body).status_code == 302
        row = Announcement.objects.create(title="Other", image=image)
        page = f"/admin/facilities/announcement/{row.pk}/change/"
        assert editor.post(page, content_body(title="Newer", image=image.pk)).status_code == 302
        row.refresh_from_db()
        assert (row.title, row.image) == ("Newer", image)

    def test_says_why_a_picture_is_refused_and_saves_nothing(self, editor: Client) -> None:
        body = content_body(upload=sent(pictures.EPS))
        answer = editor.post("/admin/facilities/event/add/", body)
        assert "no picture that is taken" in str(answer.context["adminform"].form.errors["upload"])
        assert not Image.objects.exists()

    def test_looks_the_same_to_who_may_only_look(
        self, enter: Callable[[User], Client], front_desk: User, now: datetime
    ) -> None:
        row = Announcement.objects.create(title="Seen", image=take(pictures.jpeg(), now))
        answer = enter(front_desk).get(f"/admin/facilities/announcement/{row.pk}/change/")
        assert answer.status_code == 200
        assert 'type="file"' not in answer.content.decode()

    def test_for_everyone_makes_its_picture_one_for_everyone(self, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        row = Announcement(title="News", image=image)
        save_content(instance=row, values={"audience": "public"})
        image.refresh_from_db()
        assert not image.is_public  # a draft
        save_content(instance=row, values={"state": "published"})
        image.refresh_from_db()
        assert image.is_public

    def test_shows_its_picture_to_members_and_takes_it_from_staff(
        self, client_of: ClientOf, owner: Member, make_staff: Callable[[str], User], now: datetime
    ) -> None:
        image = take(pictures.jpeg(), now, alt="Lamps.")
        photo = photo_of(owner, now)
        staff = client_of(make_staff("Facilities"))
        path = "/api/v1/announcements"
        body = {"title": "New", "state": "published", "image": str(image.public_id)}
        assert staff.post(path, body).json()["image"]["alt"] == "Lamps."
        (shown,) = client_of(owner).get(path).json()["results"]
        assert shown["image"]["id"] == str(image.public_id)
        assert client_of(owner).get(shown["image"]["variants"][0]["url"]).status_code == 200
        for wrong in (str(photo.public_id), str(owner.public_id), "no-id", 5):
            refused = staff.post(path, {**body, "image": wrong})
            assert refused.status_code == 400
            assert "image" in refused.json()["errors"]
        assert staff.post(path, {**body, "image": None}).json()["image"] is None

    def test_asks_the_same_few_questions_however_many_pictures_there_are(
        self, client_of: ClientOf, owner: Member, now: datetime
    ) -> None:
        client = client_of(owner)

        def add(number: int) -> None:
            image = take(pictures.jpeg(60 + number, 60), now)
            Announcement.objects.create(title="x", state="published", image=image)

        add(0)
        client.get("/api/v1/announcements")
        with queries() as one:
            client.get("/api/v1/announcements")
        for number in range(1, 4):
            add(number)
        with queries() as four:
            assert len(client.get("/api/v1/announcements").json()["results"]) == 4
        assert len(one) == len(four)


class TestFacility:
    def post(self, client: Client, facility: Facility, *rows: dict[str, Any]) -> Any:
        links = list(facility.facility_images.order_by("position", "pk"))
        body = describing(facility)
        body |= {"facility_images-TOTAL_FORMS": len(rows), "facility_images-INITIAL_FORMS": len(links)}
        for number, row in enumerate(rows):
            row = {"facility": facility.pk, "position": 100, **row}
            if number < len(links):
                row["id"] = links[number].pk
            body |= {f"facility_images-{number}-{name}": value for name, value in row.items()}
        return client.post(f"/admin/facilities/facility/{facility.pk}/change/", body)

    def test_has_several_in_the_order_that_staff_give_them(
        self, editor: Client, court: Facility, client_of: ClientOf, owner: Member, now: datetime
    ) -> None:
        before = Rulebook.current_number()
        known = take(pictures.jpeg(60, 60), now, alt="Known.")
        answer = self.post(
            editor,
            court,
            {"image": known.pk, "position": 20},
            {"upload": sent(pictures.jpeg()), "upload_alt": "Sent.", "position": 10},
        )
        assert answer.status_code == 302
        assert Rulebook.current_number() > before
        client = client_of(owner)
        for path in ("/api/v1/facilities", f"/api/v1/facilities/{court.public_id}", "/api/v1/bootstrap"):
            shown = client.get(path).json()
            facility = shown.get("results", shown.get("data", {}).get("facilities", [shown]))[0]
            assert [one["alt"] for one in facility["images"]] == ["Sent.", "Known."], path

    def test_has_the_same_picture_once(self, editor: Client, court: Facility, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        FacilityImage.objects.create(facility=court, image=image)
        answer = self.post(editor, court, {"image": image.pk}, {"upload": sent(pictures.jpeg())})
        assert answer.status_code == 302
        assert FacilityImage.objects.count() == 1

    def test_says_in_the_row_why_a_picture_is_refused(self, editor: Client, court: Facility) -> None:
        answer = self.post(editor, court, {"upload": sent(pictures.BAD["half a JPEG"][0]())})
        assert answer.status_code == 200
        assert "damaged or not complete" in answer.content.decode()
        assert not FacilityImage.objects.exists()

    def test_wants_a_picture_in_a_row_that_has_something(self, editor: Client, court: Facility) -> None:
        answer = self.post(editor, court, {"upload_alt": "Nothing there."})
        assert "Choose a picture, or send a new one." in answer.content.decode()

    def test_lets_pictures_change_while_bookings_come(
        self, editor: Client, court: Facility, owner: Member, now: datetime
    ) -> None:
        book(owner, wish_for(court), now=now)
        answer = self.post(editor, court, {"upload": sent(pictures.jpeg())})
        assert answer.status_code == 302
        assert FacilityImage.objects.count() == 1
