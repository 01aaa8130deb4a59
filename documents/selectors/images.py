"""Who sees which image."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.policies.identity import Identity
from documents.models import Image, ImagePurpose, ImageQuerySet, ImageVariant, MemberPhoto

SEES_ALL = "documents.view_image"


def images_for(identity: Identity | None) -> ImageQuerySet:
    """What somebody, or anybody (None), may see: what is the club's, what they sent, and the photos of
    their household; staff who may view images see all but those of a chat, which the chat itself shows."""
    rows = ImageQuerySet(Image)
    if identity is None:
        return rows.filter(is_public=True)
    if identity.has_perm(SEES_ALL):
        return rows.filter(~Q(purpose=ImagePurpose.CHAT) | Q(uploaded_by=identity.user_id))
    seen = Q(is_public=True) | Q(purpose=ImagePurpose.CLUB) | Q(uploaded_by=identity.user_id)
    if identity.membership_id is not None:
        theirs = MemberPhoto.objects.filter(member__membership=identity.membership_id)
        seen |= Q(pk__in=theirs.values("image"))
    return rows.filter(seen)


def find_image(identity: Identity | None, public_id: UUID) -> Image | None:
    """One that they may see, with its variants; None for another's and for none."""
    return images_for(identity).with_variants().filter(public_id=public_id).first()


def variants_of(image: str) -> Prefetch[str]:
    """The variants of an image that ``image`` leads to, as in ``image__``, for a prefetch."""
    return Prefetch(f"{image}variants", ImageVariant.objects.select_related("asset").order_by("pk"))


def photos_for(membership_id: int) -> QuerySet[MemberPhoto]:
    """The photos of a household, each with its member and its image's variants."""
    rows = MemberPhoto.objects.filter(member__membership=membership_id).select_related("member", "image")
    return rows.prefetch_related(variants_of("image__")).order_by("member", "pk")
