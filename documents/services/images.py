"""Pictures from strangers to variants that are served: decoded in a child, outside of any transaction."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, ProtectedError, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bcc.core import transactions
from bcc.core.errors import BusyError, DomainError, InvalidError, NotFoundError
from documents.imaging.containers import is_bare
from documents.imaging.limits import MEGABYTE, MOST_BYTES
from documents.imaging.plan import RECIPE
from documents.isolation import Child, ChildFailedError, Limits, Refusal
from documents.models import Asset, Image, ImagePurpose, ImageVariant, MemberPhoto
from documents.services.assets import keep, keep_bytes, open_asset

WORK: Final = "documents.imaging.work:make"
LIMITS: Final = Limits(seconds=10, megabytes=448, file_megabytes=32)
# How many children decode at once in this process, and how long a caller waits for a seat.
SEATS: Final = 2
_WAIT_SECONDS: Final = 20
# What one person may have sent for themselves and not taken back.
MOST_IMAGES: Final = 40
MOST_QUOTA: Final = 300 * MEGABYTE
# A photo that was sent and not made one's own is kept so long.
UNUSED_FOR: Final = timedelta(days=1)
_LARGEST_VARIANT: Final = 16 * MEGABYTE

_seats = threading.BoundedSemaphore(SEATS)
log = structlog.get_logger(__name__)

_REFUSALS: Final = {
    "not_an_image": _("This is no picture that is taken here. Send a JPEG, PNG, WebP, AVIF or HEIC."),
    "broken_image": _("This picture is damaged or not complete. Open it, save it anew, and send that."),
    "animated": _("This picture moves. Send a still one, such as a screenshot of it."),
    "polyglot": _("Something else is hidden in this file. Open the picture, save it anew, and send that."),
    "too_many_bytes": _("This file is larger than 25 MB. Save the picture smaller, and send that."),
    "too_many_pixels": _("This picture has too many pixels. Save it smaller, and send that."),
    "too_long": _("This picture is too long for its height. Cut it to less than twelve to one."),
    "too_small": _("This picture is too small to be shown. Send one of at least 16 × 16 pixels."),
    "too_heavy": _("This picture takes too long or too much to open. Save it smaller, and send that."),
}


class ImageRefusedError(InvalidError):
    """The file is not a picture as it is taken; ``code`` says why, on the field ``file``."""

    def __init__(self, code: str) -> None:
        detail = _REFUSALS[code]
        super().__init__(detail, code=code, errors={"file": [(code, detail)]})


class ImageQuotaError(DomainError):
    """Too many pictures of one person wait to be used."""

    status = 422
    code = "image_quota"
    title = _("Too many pictures.")
    default_detail = _("You have sent as many pictures as are kept. Use or remove some, or try tomorrow.")


@dataclass(frozen=True, slots=True)
class Made:
    """What a child made, stored, and no image yet. ``files`` are by (name, media type)."""

    original: Asset
    facts: Mapping[str, Any]
    files: Mapping[tuple[str, str], Asset]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready to be filed: decoded and stored, or known already."""

    purpose: ImagePurpose
    by_user_id: int | None
    once: str
    made: Made | None


def take_in(
    *, content: IO[bytes], purpose: ImagePurpose, by_user_id: int | None, alt: str = "", now: datetime
) -> Image:
    """Store a picture with its variants; the same bytes again are the same image. Not in a transaction.

    Raises ImageRefusedError, ImageQuotaError, BusyError.
    """
    prepared = prepare_image(content=content, purpose=purpose, by_user_id=by_user_id, now=now)
    return file_image(prepared=prepared, alt=alt, now=now)


def prepare_image(
    *, content: IO[bytes], purpose: ImagePurpose, by_user_id: int | None, now: datetime
) -> Prepared:
    """The heavy half of ``take_in``: decode, make, store. Call it before the transaction.

    Raises ImageRefusedError, ImageQuotaError (of what is somebody's own), BusyError when too many
    decode at once.
    """
    content.seek(0)
    once = _once(content, purpose=purpose, by_user_id=by_user_id)
    if Image.objects.filter(once=once).exists():
        return Prepared(purpose, by_user_id, once, None)
    if purpose != ImagePurpose.CLUB and by_user_id is not None:
        _require_quota(by_user_id)
    with _seat(), Child(WORK, LIMITS) as child:
        made = _made(child, content, purpose=purpose, now=now)
    return Prepared(purpose, by_user_id, once, made)


@transactions.writes
def file_image(*, prepared: Prepared, alt: str = "", now: datetime) -> Image:
    """The quick half: the rows. An image that is there gets ``alt`` if it has none.

    Raises NotFoundError when one that was known is gone since: send it again.
    """
    found = Image.objects.filter(once=prepared.once).first()
    if found is not None:
        if alt and not found.alt:
            found.alt = alt
            found.save(update_fields=["alt"])
        return found
    if prepared.made is None:
        raise NotFoundError
    facts = prepared.made.facts
    try:
        # A savepoint: the refusal of the index must not undo what the caller did before.
        with transaction.atomic():
            image = Image.objects.create(
                original=prepared.made.original,
                purpose=prepared.purpose,
                uploaded_by_id=prepared.by_user_id,
                once=prepared.once,
                alt=alt,
                width=facts["width"],
                height=facts["height"],
                placeholder=facts["placeholder"],
                colour=facts["colour"],
                recipe=RECIPE,
                created_at=now,
            )
    except IntegrityError:
        # The same was sent twice at this moment.
        return Image.objects.get(once=prepared.once)
    _add_variants(image, prepared.made)
    return image


@transactions.writes
def set_photo(*, member_id: int, by_user_id: int, image_id: UUID, now: datetime) -> MemberPhoto:
    """Make an image that the member sent their photo; the one before is deleted.

    Raises NotFoundError for an image that is not theirs, or was not sent as a photo.
    """
    User.lock(by_user_id)
    image = Image.objects.filter(
        public_id=image_id, purpose=ImagePurpose.MEMBER_PHOTO, uploaded_by=by_user_id
    ).first()
    if image is None:
        raise NotFoundError
    before = MemberPhoto.objects.select_related("image").filter(member=member_id).first()
    if before is None:
        return MemberPhoto.objects.create(member_id=member_id, image=image, set_at=now)
    if before.image_id != image.pk:
        old, before.image, before.set_at = before.image, image, now
        before.save(update_fields=["image", "set_at"])
        delete_image(image=old)
    return before


@transactions.writes
def remove_photo(*, member_id: int) -> None:
    """Take a member's photo away, with the image and its files. None is fine."""
    photo = MemberPhoto.objects.select_related("image").filter(member=member_id).first()
    if photo is not None:
        photo.delete()
        delete_image(image=photo.image)


@transactions.writes
def delete_image(*, image: Image) -> None:
    """Delete an image with its variants; files that nothing else names go with the next sweep.

    Raises ProtectedError while something shows it.
    """
    assets = {image.original_id, *image.variants.values_list("asset", flat=True)}
    image.delete()
    release(assets)


@transactions.writes
def make_public(*, image: Image) -> None:
    """Show it to who is not signed in as well: a text for everyone has it."""
    if not image.is_public:
        image.is_public = True
        image.save(update_fields=["is_public"])


@transactions.writes
def drop_unused_photos(*, now: datetime, most: int = 200) -> int:
    """Delete photos that were sent and never used. Returns how many."""
    rows = list(Image.objects.unused_photos(now - UNUSED_FOR).order_by("pk")[:most])
    for image in rows:
        delete_image(image=image)
    return len(rows)


def rebuild(*, image: Image, child: Child, now: datetime) -> None:
    """Make the variants of ``image`` anew from its original, in a child that runs ``WORK``.

    What is served meanwhile is the old ones. Raises ImageRefusedError, NotFoundError for a lost original.
    """
    with open_asset(image.original) as original:
        made = _made(child, original, purpose=ImagePurpose(image.purpose), now=now)
    _replace_variants(image, made)


@transactions.writes
def _replace_variants(image: Image, made: Made) -> None:
    before = set(image.variants.values_list("asset", flat=True))
    image.variants.all().delete()
    _add_variants(image, made)
    for name in ("width", "height", "placeholder", "colour"):
        setattr(image, name, made.facts[name])
    image.recipe = RECIPE
    image.save(update_fields=["width", "height", "placeholder", "colour", "recipe"])
    release(before - {asset.pk for asset in made.files.values()})


def release(asset_ids: set[int]) -> None:
    """Delete the rows of files that nothing names any more. The files themselves are swept later."""
    for asset in Asset.objects.filter(pk__in=asset_ids):
        try:
            with transaction.atomic():
                asset.delete()
        except ProtectedError:
            continue  # the same bytes serve something else


def _add_variants(image: Image, made: Made) -> None:
    ImageVariant.objects.bulk_create(
        ImageVariant(
            image=image,
            name=one["name"],
            media_type=one["media_type"],
            asset=made.files[one["name"], one["media_type"]],
            width=one["width"],
            height=one["height"],
        )
        for one in made.facts["variants"]
    )


def _once(content: IO[bytes], *, purpose: ImagePurpose, by_user_id: int | None) -> str:
    """What is the club's is one whoever sends it; what is somebody's own is theirs."""
    digest = hashlib.sha256(f"{purpose}|{'' if purpose == ImagePurpose.CLUB else by_user_id}|".encode())
    while chunk := content.read(MEGABYTE):
        digest.update(chunk)
    return digest.hexdigest()


def _require_quota(user_id: int) -> None:
    sent = Image.objects.counted_for(user_id).aggregate(count=Count("pk"), size=Sum("original__size"))
    if sent["count"] >= MOST_IMAGES or (sent["size"] or 0) >= MOST_QUOTA:
        raise ImageQuotaError


@contextmanager
def _seat() -> Iterator[None]:
    if not _seats.acquire(timeout=_WAIT_SECONDS):
        raise BusyError(retry_after=_WAIT_SECONDS)
    try:
        yield
    finally:
        _seats.release()


def _made(child: Child, content: IO[bytes], *, purpose: ImagePurpose, now: datetime) -> Made:
    """What the child makes of it, looked at, and stored."""
    source = child.folder / "source"
    content.seek(0)
    with source.open("wb") as out:
        shutil.copyfileobj(content, out, MEGABYTE)
    if source.stat().st_size > MOST_BYTES:
        raise ImageRefusedError("too_many_bytes")
    facts = _facts(child, avif=purpose == ImagePurpose.CLUB)
    files = {}
    for one in facts["variants"]:
        made = _bare_bytes(child.folder / Path(str(one["file"])).name, str(one["media_type"]))
        files[one["name"], one["media_type"]] = keep_bytes(made, media_type=one["media_type"], now=now)
    content.seek(0)
    return Made(keep(content, media_type=facts["media_type"], now=now), facts, files)


def _facts(child: Child, *, avif: bool) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = child.call(
            source="source", folder=".", engine=settings.IMAGE_ENGINE, avif=avif
        )
    except Refusal as refused:
        log.info("image_refused", code=refused.code, detail=refused.detail)
        raise ImageRefusedError(refused.code if refused.code in _REFUSALS else "broken_image") from refused
    except ChildFailedError as failed:
        log.warning("image_child_failed", why=failed.why, detail=failed.detail)
        if failed.why == "error":
            raise  # a defect of ours: the decoders' own errors are refusals
        raise ImageRefusedError("too_heavy" if failed.why != "crash" else "broken_image") from failed
    return facts


def _bare_bytes(path: Path, media_type: str) -> bytes:
    """What the child left there. A child that was taken over is not believed: a link, or more than pixels,
    raises ValueError."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_VARIANT:
        raise ValueError("A child left what is no variant.")
    content = path.read_bytes()
    if not is_bare(content, media_type):
        raise ValueError("A child left a variant with more than pixels in it.")
    return content
