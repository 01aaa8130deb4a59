"""Pictures in forms of the back office: chosen from those that are there, or sent in place.

A page that has such a form decodes what was sent before Django's admin opens its transaction: that takes
a second, and on SQLite nobody else could write meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.errors import BusyError, DomainError
from documents.imaging.limits import MEGABYTE, MOST_BYTES
from documents.models import Image, ImagePurpose
from documents.services.images import Prepared, file_image, prepare_image

UPLOAD: Final = "upload"
ADD: Final = "documents.add_image"
# What the browser offers to choose from; what is taken is judged by the bytes.
ACCEPT: Final = "image/jpeg,image/png,image/webp,image/avif,image/heic,image/heif,.heic,.heif"
_INPUT: Final = re.compile(rf"(?:\w+-\d+-)?{UPLOAD}")

Pictures = Mapping[str, Prepared | DomainError]


def picture_tag(image: Image | None, *, variant: str = "thumb", side: int = 72) -> SafeString:
    """An <img> for staff who may view images, ``side`` pixels high, a thumb as wide; a dash without one."""
    if image is None:
        return format_html('<span class="quiet">{}</span>', "–")
    return format_html(
        '<img class="picture {}" src="{}" alt="{}" height="{}"{} loading="lazy">',
        variant,
        reverse("admin:documents_image_variant", args=[image.pk, variant]),
        image.alt,
        side,
        format_html(' width="{}"', side) if variant == "thumb" else "",
    )


class PictureForm(forms.ModelForm[Any]):
    """A form with a picture: its field ``image``, or a file sent in place, which is then its image.

    ``pictures`` are the files of this request by the names of their inputs, decoded already.
    """

    pictures: ClassVar[Pictures] = {}

    upload = forms.FileField(
        label=gettext_lazy("Or send a new one"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text=gettext_lazy("JPEG, PNG, WebP, AVIF or HEIC, at most %(size)d MB.")
        % {"size": MOST_BYTES // MEGABYTE},
    )
    upload_alt = forms.CharField(
        label=gettext_lazy("What the new one shows"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Read aloud to who cannot see it."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        found = self.pictures.get(self.add_prefix(UPLOAD))
        if isinstance(found, DomainError):
            self.add_error(UPLOAD, str(found.detail))
        elif cleaned.get(UPLOAD) and found is None:
            self.add_error(UPLOAD, _("You may choose pictures here, and not send any. Ask who may."))
        return cleaned

    def sent_picture(self, now: datetime) -> Image | None:
        """The image of the file that was sent in place, filed now; None where none was."""
        found = self.pictures.get(self.add_prefix(UPLOAD))
        if not isinstance(found, Prepared):
            return None
        return file_image(prepared=found, alt=self.cleaned_data.get("upload_alt", ""), now=now)


def decoded(request: HttpRequest) -> Pictures:
    """What was sent as a picture in this request, decoded and stored, or why it is refused.

    Nothing for who may not add images.
    """
    user: Any = request.user
    if request.method != "POST" or not request.FILES or not user.has_perm(ADD):
        return {}
    found: dict[str, Prepared | DomainError] = {}
    for name, file in request.FILES.items():
        content: Any = file
        if _INPUT.fullmatch(name):
            try:
                found[name] = prepare_image(
                    content=content, purpose=ImagePurpose.CLUB, by_user_id=user.pk, now=clock.now()
                )
            except BusyError:
                raise
            except DomainError as error:
                found[name] = error
    return found


def with_pictures(form: Any, request: HttpRequest) -> Any:
    """``form``, a class, that knows the pictures of ``request``."""
    if not issubclass(form, PictureForm):
        return form
    return type(form.__name__, (form,), {"pictures": getattr(request, "pictures", {})})


class TakesPicturesAdmin(ClubModelAdmin[Any]):
    """Stands before the base of a page whose form, or an inline's, is a PictureForm."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if self.has_view_or_change_permission(request) or self.has_add_permission(request):
            request.pictures = decoded(request)  # type: ignore[attr-defined]  # Django's request takes attributes of ours
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return with_pictures(super().get_form(request, obj, change=change, **kwargs), request)
