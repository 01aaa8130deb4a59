"""Images: looked at, described, sent, and deleted where nothing shows them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from documents.admin.pictures import PictureForm, TakesPicturesAdmin, picture_tag
from documents.imaging.plan import SUFFIXES, WEBP
from documents.models import Image, ImagePurpose
from documents.services.images import delete_image
from documents.views.files import Caching, file_response


class NewImageForm(PictureForm):
    """The file makes the image; nothing but its description is typed."""

    class Meta:
        model = Image
        fields = ("alt", "is_public")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["upload"].required = True
        self.fields["upload"].label = _("Picture")
        del self.fields["upload_alt"]


class ImageForm(forms.ModelForm[Image]):
    class Meta:
        model = Image
        fields = ("alt", "is_public")


@admin.register(Image)
class ImageAdmin(TakesPicturesAdmin):
    list_display = ("thumb", "shown_as", "purpose", "dimensions", "size", "uploaded_by", "created_at")
    list_display_links = ("thumb", "shown_as")
    list_filter = ("purpose", "is_public")
    list_select_related = ("original", "uploaded_by")
    search_fields = ("alt",)
    ordering = ("-created_at", "-pk")
    date_hierarchy = "created_at"

    def get_form(
        self, request: HttpRequest, obj: Image | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(
            request, obj, change, **{**kwargs, "form": ImageForm if obj else NewImageForm}
        )

    def get_fieldsets(self, request: HttpRequest, obj: Image | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("upload", "alt", "is_public")}),)
        facts = ("purpose", "dimensions", "size", "uploaded_by", "created_at", "placeholder_colour")
        return (
            (None, {"fields": ("preview", "alt", "is_public")}),
            (_("What is known of it"), {"fields": facts}),
            (
                _("Served as"),
                {
                    "fields": ("variants_made",),
                    "description": _(
                        "Upright, in sRGB, without place, time or device. The original is never served."
                    ),
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        if obj is None:
            return ()
        return (
            "preview", "purpose", "dimensions", "size", "uploaded_by", "created_at", "placeholder_colour",
            "variants_made",
        )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        """What was sent in a chat is between those who talk, and shown by the chat's own pages."""
        return super().get_queryset(request).exclude(purpose=ImagePurpose.CHAT)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Image], search_term: str
    ) -> tuple[QuerySet[Image], bool]:
        """Where a page chooses one, of the club's alone: a member's photo is nobody's decoration."""
        if request.path == reverse("admin:autocomplete"):
            queryset = queryset.filter(purpose=ImagePurpose.CLUB)
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Image, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["alt", "is_public"])
            return
        filed = form.sent_picture(clock.now())
        filed.alt = form.cleaned_data["alt"] or filed.alt
        filed.is_public = filed.is_public or form.cleaned_data["is_public"]
        filed.save(update_fields=["alt", "is_public"])
        obj.__dict__.update(filed.__dict__)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        delete_image(image=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for image in queryset:
            delete_image(image=image)

    # ------------------------------------------------------------------------------------------ columns

    @admin.display(description=gettext_lazy("picture"))
    def thumb(self, image: Image) -> SafeString:
        return picture_tag(image, side=56)

    @admin.display(description=gettext_lazy("description"), ordering="alt")
    def shown_as(self, image: Image) -> str:
        return image.alt or _("without a description")

    @admin.display(description=gettext_lazy("picture"))
    def preview(self, image: Image) -> SafeString:
        return picture_tag(image, variant="medium", side=min(320, image.height))

    @admin.display(description=gettext_lazy("pixels"))
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @admin.display(description=gettext_lazy("as sent"), ordering="original__size")
    def size(self, image: Image) -> str:
        kind = image.original.media_type.removeprefix("image/").upper()
        return f"{kind}, {filesizeformat(image.original.size)}"

    @admin.display(description=gettext_lazy("until it is there"))
    def placeholder_colour(self, image: Image) -> SafeString:
        swatch = '<svg class="swatch" width="28" height="18" role="img" aria-label="{}">'
        return format_html(
            swatch + '<rect width="28" height="18" fill="{}"/></svg> <code>{}</code> <code>{}</code>',
            image.colour,
            image.colour,
            image.colour,
            image.placeholder,
        )

    @admin.display(description=gettext_lazy("variants"))
    def variants_made(self, image: Image) -> SafeString:
        rows = image.variants.select_related("asset").order_by("width", "media_type", "pk")
        made = format_html_join(
            "",
            '<li><a href="{}">{}</a>: {} × {}, {}, {}</li>',
            (
                (
                    reverse(
                        "admin:documents_image_variant",
                        args=[image.pk, f"{one.name}.{SUFFIXES[one.media_type]}"],
                    ),
                    one.name,
                    one.width,
                    one.height,
                    one.media_type.removeprefix("image/"),
                    filesizeformat(one.asset.size),
                )
                for one in rows
            ),
        )
        return format_html('<ul class="variants">{}</ul>', made)

    # -------------------------------------------------------------------------------------------- bytes

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.variant_view)
        return [
            path("<int:pk>/variant/<str:variant>", view, name="documents_image_variant"),
            *super().get_urls(),
        ]

    def variant_view(self, request: HttpRequest, pk: int, variant: str) -> HttpResponseBase:
        """The bytes of a variant for the pages of the back office: ``thumb``, or ``large.avif``."""
        image = self.get_object(request, str(pk))
        if not self.has_view_permission(request, image):
            raise PermissionDenied
        name, _dot, suffix = variant.partition(".")
        media_type = {value: kind for kind, value in SUFFIXES.items()}.get(suffix, "" if suffix else WEBP)
        rows = image.variants.select_related("asset") if image is not None else None
        found = rows.filter(name=name, media_type=media_type).first() if rows is not None else None
        if found is None:
            raise Http404
        return file_response(
            request,
            found.asset,
            name=f"{name}.{SUFFIXES[found.media_type]}",
            caching=Caching.PRIVATE,
            inline=True,
            media_type=found.media_type,
        )
