from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import ProtectedError

from accounts.models import Member
from bcc.core.errors import BusyError, NotFoundError
from documents.imaging.containers import is_bare
from documents.imaging.limits import MOST_BYTES
from documents.imaging.plan import NAMES, RECIPE
from documents.isolation import Child, ChildFailedError
from documents.models import Asset, Image, ImagePurpose, ImageVariant, MemberPhoto
from documents.services import images
from documents.services.assets import read_asset
from tests.documents import pictures

pytestmark = pytest.mark.django_db
CLUB, PHOTO = ImagePurpose.CLUB, ImagePurpose.MEMBER_PHOTO


def take(
    content: bytes, now: datetime, *, purpose: ImagePurpose = CLUB, by: Member | None = None, alt: str = ""
) -> Image:
    user_id = None if by is None else by.user_id
    return images.take_in(content=io.BytesIO(content), purpose=purpose, by_user_id=user_id, alt=alt, now=now)


def photo_of(member: Member, now: datetime, *, seed: int = 1) -> Image:
    content = pictures.saved(pictures.photo(96, 64, seed=seed), "JPEG")
    image = take(content, now, purpose=PHOTO, by=member)
    assert member.user_id is not None
    images.set_photo(member_id=member.pk, by_user_id=member.user_id, image_id=image.public_id, now=now)
    return image


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding is a failure of the test."""

    def started(*_args: Any, **_kwargs: Any) -> None:
        pytest.fail("A child was started.")

    monkeypatch.setattr(images, "Child", started)
    return


class TestTakeIn:
    def test_stores_the_original_and_its_variants(self, now: datetime) -> None:
        content = pictures.laid(6, width=1000, height=700)
        image = take(content, now, alt="Corners.")
        assert (image.width, image.height, image.alt, image.recipe) == (1000, 700, "Corners.", RECIPE)
        assert image.placeholder
        assert image.colour.startswith("#")
        assert image.original.media_type == "image/jpeg"
        assert read_asset(image.original) == content
        webp = image.variants.filter(media_type="image/webp")
        assert set(webp.values_list("name", flat=True)) == set(NAMES)
        for variant in image.variants.select_related("asset"):
            assert is_bare(read_asset(variant.asset), variant.media_type)
            assert variant.width <= 1000

    def test_gives_the_same_image_for_the_same_bytes_without_decoding(
        self, now: datetime, request: pytest.FixtureRequest
    ) -> None:
        first = take(pictures.jpeg(), now)
        request.getfixturevalue("no_child")
        again = take(pictures.jpeg(), now, alt="Later said.")
        assert again.pk == first.pk
        assert again.alt == "Later said."
        assert Image.objects.count() == 1
        assert take(pictures.jpeg(), now, alt="Not again.").alt == "Later said."

    def test_keeps_what_is_somebodys_own_apart(self, now: datetime, owner: Member, stranger: Member) -> None:
        content = pictures.jpeg()
        found = {
            take(content, now).pk,
            take(content, now, purpose=PHOTO, by=owner).pk,
            take(content, now, purpose=PHOTO, by=stranger).pk,
            take(content, now, purpose=PHOTO, by=owner).pk,
        }
        assert len(found) == 3
        assert Image.objects.values("original").distinct().count() == 1

    @pytest.mark.parametrize("name", ["an EPS, whatever its name", "half a JPEG", "a flood of pixels"])
    def test_refuses_by_the_code_of_the_decoder_and_stores_nothing(self, now: datetime, name: str) -> None:
        content, codes = pictures.BAD[name]
        with pytest.raises(images.ImageRefusedError) as refused:
            take(content(), now)
        assert refused.value.code in codes
        assert set(refused.value.errors) == {"file"}
        assert not Image.objects.exists()
        assert not Asset.objects.exists()

    def test_refuses_more_bytes_than_are_taken_before_they_are_decoded(self, now: datetime) -> None:
        with pytest.raises(images.ImageRefusedError) as refused:
            take(b"\xff\xd8\xff" + bytes(MOST_BYTES), now)
        assert refused.value.code == "too_many_bytes"

    def test_has_a_text_for_every_code(self) -> None:
        codes = {code for _make, codes in pictures.BAD.values() for code in codes}
        assert codes <= images._REFUSALS.keys()

    @pytest.mark.parametrize(
        ("why", "code"), [("time", "too_heavy"), ("memory", "too_heavy"), ("crash", "broken_image")]
    )
    def test_takes_a_child_that_dies_for_a_bad_picture(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch, why: Any, code: str
    ) -> None:
        def died(_child: Child, **_arguments: Any) -> None:
            raise ChildFailedError(why)

        monkeypatch.setattr(Child, "call", died)
        with pytest.raises(images.ImageRefusedError) as refused:
            take(pictures.jpeg(), now)
        assert refused.value.code == code

    def test_does_not_hide_a_defect_of_ours(self, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        def failed(_child: Child, **_arguments: Any) -> None:
            raise ChildFailedError("error", "KeyError")

        monkeypatch.setattr(Child, "call", failed)
        with pytest.raises(ChildFailedError):
            take(pictures.jpeg(), now)

    @pytest.mark.parametrize("left", ["a link", "more than pixels", "too much"])
    def test_believes_a_child_no_more_than_a_stranger(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch, left: str, tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_bytes(pictures.saved(pictures.corners(), "WEBP"))

        def taken_over(child: Child, **_arguments: Any) -> dict[str, Any]:
            out = child.folder / "out.webp"
            if left == "a link":
                out.symlink_to(secret)
            elif left == "too much":
                out.write_bytes(secret.read_bytes())
                monkeypatch.setattr(images, "_LARGEST_VARIANT", 10)
            else:
                out.write_bytes(pictures.saved(pictures.corners(), "WEBP", exif=pictures.exif()))
            made = {"name": "large", "media_type": "image/webp", "width": 1, "height": 1, "file": "out.webp"}
            return {"media_type": "image/jpeg", "variants": [made]}

        monkeypatch.setattr(Child, "call", taken_over)
        with pytest.raises(ValueError, match="A child left"):
            take(pictures.jpeg(), now)
        assert not Asset.objects.exists()

    def test_refuses_more_than_a_persons_quota_but_never_the_clubs(
        self, now: datetime, owner: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(images, "MOST_IMAGES", 1)
        take(pictures.jpeg(), now, purpose=PHOTO, by=owner)
        with pytest.raises(images.ImageQuotaError):
            take(pictures.jpeg(60, 60), now, purpose=PHOTO, by=owner)
        assert take(pictures.jpeg(), now, purpose=PHOTO, by=owner)  # what is there costs nothing
        assert take(pictures.jpeg(60, 60), now, by=owner)
        monkeypatch.setattr(images, "MOST_IMAGES", 9)
        monkeypatch.setattr(images, "MOST_QUOTA", 10)
        with pytest.raises(images.ImageQuotaError):
            take(pictures.jpeg(60, 60), now, purpose=PHOTO, by=owner)

    def test_says_busy_when_no_seat_comes_free(self, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = threading.BoundedSemaphore(1)
        taken.acquire()
        monkeypatch.setattr(images, "_seats", taken)
        monkeypatch.setattr(images, "_WAIT_SECONDS", 0.01)
        with pytest.raises(BusyError):
            take(pictures.jpeg(), now)

    @pytest.mark.engine
    @pytest.mark.django_db(transaction=True)
    def test_makes_one_image_of_the_same_bytes_sent_twice_at_once(self, now: datetime) -> None:
        prepared = [
            images.prepare_image(content=io.BytesIO(pictures.jpeg()), purpose=CLUB, by_user_id=None, now=now)
            for _ in range(2)
        ]
        together = threading.Barrier(2)

        def file(one: images.Prepared) -> int:
            together.wait(20)
            try:
                return images.file_image(prepared=one, now=now).pk
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(file, prepared))
        assert found[0] == found[1]
        assert ImageVariant.objects.filter(media_type="image/webp").count() == len(NAMES)

    def test_a_known_image_that_went_meanwhile_is_asked_for_again(self, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        known = images.prepare_image(
            content=io.BytesIO(pictures.jpeg()), purpose=CLUB, by_user_id=None, now=now
        )
        images.delete_image(image=image)
        with pytest.raises(NotFoundError):
            images.file_image(prepared=known, now=now)


class TestSetPhoto:
    def test_replaces_the_one_before_and_leaves_nothing_of_it(self, now: datetime, owner: Member) -> None:
        first = photo_of(owner, now)
        gone = {first.original_id, *first.variants.values_list("asset", flat=True)}
        second = photo_of(owner, now, seed=2)
        assert MemberPhoto.objects.get(member=owner).image == second
        assert not Image.objects.filter(pk=first.pk).exists()
        assert not Asset.objects.filter(pk__in=gone).exists()

    def test_of_the_same_image_again_changes_nothing(self, now: datetime, owner: Member) -> None:
        first = photo_of(owner, now)
        again = photo_of(owner, now + timedelta(hours=1))
        assert again.pk == first.pk
        assert MemberPhoto.objects.get(member=owner).set_at == now

    def test_keeps_files_that_something_else_shows(
        self, now: datetime, owner: Member, stranger: Member
    ) -> None:
        photo_of(owner, now)
        same = photo_of(stranger, now)
        images.remove_photo(member_id=owner.pk)
        for variant in same.variants.select_related("asset"):
            assert read_asset(variant.asset)

    @pytest.mark.parametrize("kind", ["another's", "the club's", "none"])
    def test_refuses_what_is_not_theirs(
        self, now: datetime, owner: Member, stranger: Member, kind: str
    ) -> None:
        images_by_kind = {
            "another's": lambda: take(pictures.jpeg(), now, purpose=PHOTO, by=stranger).public_id,
            "the club's": lambda: take(pictures.jpeg(), now, by=owner).public_id,
            "none": lambda: owner.public_id,
        }
        assert owner.user_id is not None
        with pytest.raises(NotFoundError):
            images.set_photo(
                member_id=owner.pk, by_user_id=owner.user_id, image_id=images_by_kind[kind](), now=now
            )


class TestRemovePhoto:
    def test_takes_image_and_rows_of_files_along(self, now: datetime, owner: Member) -> None:
        photo_of(owner, now)
        images.remove_photo(member_id=owner.pk)
        assert not MemberPhoto.objects.exists()
        assert not Image.objects.exists()
        assert not Asset.objects.exists()

    def test_of_none_is_fine(self, owner: Member) -> None:
        images.remove_photo(member_id=owner.pk)


class TestDeleteImage:
    def test_is_refused_while_it_is_somebodys_photo(self, now: datetime, owner: Member) -> None:
        image = photo_of(owner, now)
        with pytest.raises(ProtectedError):
            images.delete_image(image=image)


class TestDropUnusedPhotos:
    def test_deletes_what_was_sent_a_day_ago_and_never_used(
        self, now: datetime, owner: Member, stranger: Member
    ) -> None:
        used = photo_of(owner, now)
        club = take(pictures.jpeg(60, 60), now)
        unused = take(pictures.jpeg(80, 60), now, purpose=PHOTO, by=stranger)
        assert images.drop_unused_photos(now=now + images.UNUSED_FOR) == 0
        assert images.drop_unused_photos(now=now + images.UNUSED_FOR + timedelta(seconds=1)) == 1
        assert set(Image.objects.all()) == {used, club}
        assert not Image.objects.filter(pk=unused.pk).exists()


class TestMakePublic:
    def test_shows_it_to_everyone(self, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        assert not image.is_public
        images.make_public(image=image)
        images.make_public(image=image)
        assert Image.objects.get().is_public


class TestRebuild:
    def test_makes_the_variants_anew_from_the_original(self, now: datetime) -> None:
        image = take(pictures.jpeg(900, 600), now)
        Image.objects.update(recipe=0, colour="", placeholder="")
        ImageVariant.objects.filter(name="small").delete()
        image.refresh_from_db()
        with Child(images.WORK, images.LIMITS) as child:
            images.rebuild(image=image, child=child, now=now)
        image.refresh_from_db()
        assert image.recipe == RECIPE
        assert image.colour
        webp = image.variants.filter(media_type="image/webp")
        assert set(webp.values_list("name", flat=True)) == set(NAMES)

    def test_says_when_the_original_is_lost(self, now: datetime) -> None:
        image = take(pictures.jpeg(), now)
        default_storage.delete(image.original.key)
        with Child(images.WORK, images.LIMITS) as child, pytest.raises(NotFoundError):
            images.rebuild(image=image, child=child, now=now)
