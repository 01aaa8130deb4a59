"""Pictures sent, described, served, and made one's photo."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import IsMember
from accounts.policies.identity import Identity
from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle
from bcc.core import clock
from bcc.core.errors import InvalidError, NotAllowedError, NotFoundError
from bcc.core.rest.conditional import ConditionalGetMixin
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.uploads import BoundedMultiPartParser
from bcc.core.rest.views import StrictQueryMixin
from documents.imaging.limits import MOST_BYTES
from documents.imaging.plan import AVIF, SUFFIXES, WEBP
from documents.models import Image, ImagePurpose, ImageVariant
from documents.selectors.images import find_image, photos_for
from documents.serializers.images import (
    ImageSerializer,
    ImageUploadSerializer,
    PhotoRequestSerializer,
    PhotoSerializer,
    VariantQuery,
    version_of,
)
from documents.services import images
from documents.views.files import Caching, file_response
from documents.views.throttles import ImageReadThrottle, ImageUploadThrottle

TAGS: Final = ["images"]
# What becomes public later does not leave a shared cache; what is the club's is behind sign-in.
_KEPT_BY: Final = {True: Caching.IMMUTABLE, False: Caching.PRIVATE_IMMUTABLE}


class ImageUploadView(SignedInView):
    """Members send photos of themselves, staff pictures of the club."""

    parser_classes = (BoundedMultiPartParser,)
    throttle_classes = (ImageUploadThrottle,)
    upload_limit = MOST_BYTES
    idempotent = ("POST",)

    @extend_schema(
        operation_id="images_create",
        request={"multipart/form-data": ImageUploadSerializer},
        responses={status.HTTP_201_CREATED: ImageSerializer},
        tags=TAGS,
        summary="Send a picture",
        description=(
            "It is decoded, turned upright, brought to sRGB and freed of everything that the phone wrote "
            "into it (place, time, device); the variants are made before the answer. The same bytes again "
            "are the same image. What is not taken is a 400 on `file` with one of the codes `not_an_image`, "
            "`broken_image`, `animated`, `polyglot`, `too_many_bytes`, `too_many_pixels`, `too_long`, "
            "`too_small`, `too_heavy`; a 422 `image_quota` says that too many wait to be used. A photo that "
            "is not made one's own within a day is deleted. Members send `member_photo` and `chat`, and "
            "staff who may add images `club`."
        ),
    )
    def post(self, request: Request) -> Any:
        data = self.body(ImageUploadSerializer)
        purpose = ImagePurpose(data["purpose"])
        self._require_allowed(purpose)
        # Before the transaction: decoding takes a second, and others want to write.
        prepared = images.prepare_image(
            content=data["file"], purpose=purpose, by_user_id=self.identity.user_id, now=clock.now()
        )

        def work() -> tuple[int, Any]:
            image = images.file_image(prepared=prepared, alt=data["alt"], now=clock.now())
            return status.HTTP_201_CREATED, ImageSerializer(image).data

        return respond_once(request, "documents.image.create", work)

    def _require_allowed(self, purpose: ImagePurpose) -> None:
        if purpose == ImagePurpose.CLUB:
            allowed = self.identity.has_perm("documents.add_image")
        else:
            allowed = self.identity.member_id is not None
        if not allowed:
            raise NotAllowedError


class ImageReadView(StrictQueryMixin):
    """Open to everyone for what is for everyone; what somebody may not see is not there."""

    permission_classes = (AllowAny,)
    throttle_classes = (ImageReadThrottle,)
    refusals = {"GET": ("401",)}

    def find(self, public_id: UUID) -> Image:
        user = self.request.user
        identity = cast(Identity, user) if user.is_authenticated else None
        image = find_image(identity, public_id)
        if image is None:
            raise NotFoundError
        return image


class ImageView(ConditionalGetMixin, ImageReadView):
    @extend_schema(
        operation_id="images_get",
        responses=ImageSerializer,
        tags=TAGS,
        summary="A picture, and where its variants are",
        description=(
            "A member's photo is seen by the household and by staff who may view images, the club's pictures "
            "by everybody signed in, and those that a text for everyone shows by everyone. All else is a 404."
        ),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(ImageSerializer(self.find(public_id)).data)


class _AnyType(BaseContentNegotiation):
    """A viewer asks for what it likes to show; the bytes are what they are, and refusals are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def _header(name: str, description: str, *codes: int) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=description,
        response=list(codes) or False,
    )


def _bytes(description: str, code: int) -> dict[Any, Any]:
    return {
        (code, media_type): OpenApiResponse(
            OpenApiTypes.BINARY,
            description,
            examples=[OpenApiExample("Bytes", "The bytes.", response_only=True)],
        )
        for media_type in (WEBP, AVIF)
    }


class ImageVariantView(ImageReadView):
    content_negotiation_class = _AnyType
    query_serializer = VariantQuery

    @extend_schema(
        operation_id="images_variant",
        responses={
            **_bytes("The bytes.", 200),
            **_bytes("The part that was asked for.", 206),
            304: OpenApiResponse(description="The client has it."),
        },
        parameters=[
            OpenApiParameter(
                "variant",
                str,
                OpenApiParameter.PATH,
                description="`small.webp` or `large.avif` as in `url`; `small`: what Accept likes best.",
            ),
            _header("Range", "One range of bytes, such as `bytes=0-65535`."),
            _header("If-None-Match", "An ETag that the client has."),
            _header("ETag", "The hash of the bytes.", 200, 206, 304),
            _header("Content-Range", "Which part it is.", 206),
        ],
        tags=TAGS,
        summary="The bytes of a variant",
        description=(
            "Under the address that the image says (with `v`), what is the club's may be kept for a year, "
            "and by shared caches where it is for everyone. A member's photo is kept by nobody."
        ),
    )
    def get(self, request: Request, public_id: UUID, variant: str) -> HttpResponseBase:
        image = self.find(public_id)
        found = _chosen(image, variant, accept=request.headers.get("Accept", ""))
        is_named = self.query.get("v") == version_of(found)
        is_club = image.purpose == ImagePurpose.CLUB
        response = file_response(
            request,
            found.asset,
            name=f"{found.name}.{SUFFIXES[found.media_type]}",
            caching=_KEPT_BY[image.is_public] if is_named and is_club else Caching.PRIVATE,
            inline=True,
            media_type=found.media_type,
        )
        if "." not in variant:
            response["Vary"] = "Accept"
        return response


def _chosen(image: Image, asked: str, *, accept: str) -> ImageVariant:
    """The variant by its name, of the type that it names or ``accept`` does. Raises NotFoundError."""
    name, _dot, suffix = asked.partition(".")
    found = {SUFFIXES[one.media_type]: one for one in image.variants.all() if one.name == name}
    if "." in asked:
        wanted = found.get(suffix)
    else:
        wanted = (found.get("avif") if AVIF in accept else None) or found.get("webp")
    if wanted is None:
        raise NotFoundError
    return wanted


class PhotoView(SignedInView):
    permission_classes = (IsMember,)
    throttle_classes = (ReadThrottle,)
    refusals = {"PUT": ("400",)}

    @extend_schema(
        operation_id="me_photo_get",
        responses=PhotoSerializer,
        tags=["me"],
        summary="One's own photo, and the household's",
    )
    def get(self, request: Request) -> Response:
        return Response(self._shown())

    @extend_schema(
        operation_id="me_photo_set",
        request=PhotoRequestSerializer,
        responses=PhotoSerializer,
        tags=["me"],
        summary="Make an image that one sent one's photo",
        description="The household and the club's staff see it. The photo before it is deleted.",
    )
    def put(self, request: Request) -> Response:
        image_id = self.body(PhotoRequestSerializer)["image"]
        try:
            images.set_photo(
                member_id=self._member_id,
                by_user_id=self.identity.user_id,
                image_id=image_id,
                now=clock.now(),
            )
        except NotFoundError as error:
            text = _("You have sent no such photo. Send it with POST images, and name its id.")
            raise InvalidError(errors={"image": [("unknown_image", text)]}) from error
        return Response(self._shown())

    @extend_schema(
        operation_id="me_photo_delete",
        request=None,
        responses={status.HTTP_204_NO_CONTENT: OpenApiResponse(description="There is none any more.")},
        tags=["me"],
        summary="Take one's photo away",
    )
    def delete(self, request: Request) -> Response:
        images.remove_photo(member_id=self._member_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @property
    def _member_id(self) -> int:
        if self.identity.member_id is None:
            raise NotAllowedError
        return self.identity.member_id

    def _shown(self) -> Any:
        household = list(photos_for(self.identity.membership_id or 0))
        own = next((one.image for one in household if one.member_id == self.identity.member_id), None)
        return PhotoSerializer({"image": own, "household": household}).data
