"""Pictures: the original, which is never served, and the clean variants made of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from bcc.core.models import PublicModel
from documents.models.assets import Asset


class ImagePurpose(models.TextChoices):
    MEMBER_PHOTO = "member_photo", _("photo of a member")
    CLUB = "club", _("picture of the club")
    CHAT = "chat", _("sent in a chat")


class ImageQuerySet(models.QuerySet["Image"]):
    def counted_for(self, user_id: int) -> Self:
        """What somebody has sent for themselves, which their quota is of."""
        return self.filter(uploaded_by=user_id).exclude(purpose=ImagePurpose.CLUB)

    def unused_photos(self, before: datetime) -> Self:
        """Sent as somebody's photo before then, and nobody's photo."""
        return self.filter(purpose=ImagePurpose.MEMBER_PHOTO, created_at__lt=before, photo_of__isnull=True)

    def with_variants(self) -> Self:
        return self.prefetch_related(
            models.Prefetch(
                "variants", ImageVariant.objects.select_related("asset").order_by("width", "media_type", "pk")
            )
        )

    def made_by_older(self, recipe: int) -> Self:
        """Those whose variants another version of the recipe made."""
        return self.exclude(recipe=recipe)


class Image(PublicModel):
    """One picture as somebody sent it: ``original`` keeps the bytes for rebuilding and is never served.

    Width and height are upright, in pixels. ``placeholder`` is a BlurHash, ``colour`` the mean colour
    as ``#rrggbb``. ``recipe`` numbers the way its variants were made; another number means: make anew.
    """

    original = models.ForeignKey(
        Asset, on_delete=models.PROTECT, related_name="images", verbose_name=_("original")
    )
    purpose = models.CharField(_("purpose"), max_length=16, choices=ImagePurpose)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    alt = models.CharField(
        _("description"), max_length=200, blank=True, help_text=_("Read aloud to who cannot see it.")
    )
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    placeholder = models.CharField(_("placeholder"), max_length=64, blank=True, editable=False)
    colour = models.CharField(_("mean colour"), max_length=7, blank=True, editable=False)
    is_public = models.BooleanField(
        _("for everyone"),
        default=False,
        help_text=_("Also shown before sign-in. What a text for everyone shows is for everyone."),
    )
    # Hash of bytes, purpose and (where it is somebody's own) owner: the same once more is the same image.
    once = models.CharField(max_length=64, unique=True, editable=False)
    recipe = models.PositiveSmallIntegerField(_("recipe"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        indexes = (models.Index(fields=("purpose", "id"), name="documents_image_purpose"),)

    def __str__(self) -> str:
        return self.alt or f"{self.get_purpose_display()}, {self.width} × {self.height}"


class ImageVariant(models.Model):
    """One served form of an image: upright, without metadata, in sRGB."""

    image = models.ForeignKey(
        Image, on_delete=models.CASCADE, related_name="variants", verbose_name=_("image")
    )
    name = models.SlugField(_("name"), max_length=32)
    media_type = models.CharField(_("type"), max_length=40)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))

    class Meta:
        verbose_name = _("variant of an image")
        verbose_name_plural = _("variants of an image")
        constraints = (
            models.UniqueConstraint(fields=("image", "name", "media_type"), name="documents_variant_once"),
        )

    def __str__(self) -> str:
        return f"{self.name}, {self.width} × {self.height}"


class MemberPhoto(models.Model):
    """Which image is a member's photo; a row here, since accounts knows no files."""

    member = models.OneToOneField(
        Member, on_delete=models.CASCADE, related_name="photo", verbose_name=_("member")
    )
    image = models.ForeignKey(
        Image, on_delete=models.PROTECT, related_name="photo_of", verbose_name=_("image")
    )
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("photo of a member")
        verbose_name_plural = _("photos of members")

    def __str__(self) -> str:
        return f"{self.member_id}"
