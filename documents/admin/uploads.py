"""Large files from a browser: streamed to the disk, counted on the way, and cut off at a limit."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect

from documents.models import BatchKind
from documents.policies.periods import is_period
from documents.services.batches.receive import WITHOUT_PERIOD, Delivered


class CountedUploadHandler(TemporaryFileUploadHandler):
    """Every file to the disk, whatever its size; more than the limit in all ends the upload.

    The length that the browser states is believed only where it is too much already.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._left = settings.FINANCE_UPLOAD_LIMIT

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803 - Django calls it so
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > self._left:
            self._left = 0  # the first chunk of a file ends it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._left -= len(raw_data)
        if self._left >= 0:
            return super().receive_data_chunk(raw_data, start)
        if self.request is not None:
            self.request.upload_was_cut = True  # type: ignore[attr-defined]  # Django's request takes attributes of ours
        raise StopUpload(connection_reset=False)


def streamed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view whose POST is streamed as above. The handler is set before anybody reads the form, the check
    of its token among them; so that check comes here, afterwards."""

    @csrf_protect
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    @wraps(view)
    def begun(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.upload_handlers = [CountedUploadHandler(request)]
        answer: HttpResponse = checked(request, *args, **kwargs)
        return answer

    begun.csrf_exempt = True  # type: ignore[attr-defined]  # Django's own mark
    return begun


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or many; ``clean`` gives a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data]
        files = files or [None]
        return [super(FilesField, self).clean(one, initial) for one in files]


class _CutOff(forms.Form):
    """Says that an upload was too large, where it was: what came of the form is not all of it."""

    def __init__(self, *args: Any, was_cut: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._was_cut = was_cut

    def clean(self) -> dict[str, Any] | None:
        if self._was_cut:
            megabytes = settings.FINANCE_UPLOAD_LIMIT // 1_000_000
            raise forms.ValidationError(
                _("The files are more than %(megabytes)d MB. Send them in parts.") % {"megabytes": megabytes}
            )
        return super().clean()


class UploadForm(_CutOff):
    kind = forms.ChoiceField(label=_("What it is"), choices=BatchKind.choices)
    period = forms.CharField(
        label=_("Month"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={"placeholder": "2026-10", "size": 8, "inputmode": "numeric"}),
        help_text=_("As 2026-10. Not asked for with a delinquency list or a member master."),
    )
    deliveries = FilesField(
        label=_("Files"),
        help_text=_("One or several; they are one batch. Choose them all at once."),
    )
    control_count = forms.IntegerField(
        label=_("Control count"),
        required=False,
        min_value=0,
        help_text=_("How many statements or rows your own system says there are."),
    )
    control_total = forms.DecimalField(
        label=_("Control total"),
        required=False,
        max_digits=16,
        decimal_places=2,
        help_text=_("What your own system says the amounts come to. Empty for PDFs."),
    )
    is_trial = forms.BooleanField(
        label=_("Only a trial"),
        required=False,
        help_text=_("It is read and checked, and cannot be published until you take it up for real."),
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        period, kind = cleaned.get("period", ""), cleaned.get("kind")
        if kind in WITHOUT_PERIOD:
            cleaned["period"] = ""
        elif not period:
            self.add_error("period", _("This kind belongs to a month. Give it as 2026-10."))
        elif not is_period(period):
            self.add_error("period", _("Write the month as 2026-10: the year, a hyphen, two digits."))
        return cleaned


class CorrectionForm(_CutOff):
    deliveries = FilesField(
        label=_("Corrected rows"),
        help_text=_("The error file with the rows put right. Leave the column Item as it is."),
    )


def delivered(files: list[Any]) -> list[Delivered]:
    return [Delivered(str(one.name), one.file) for one in files]


def was_cut(request: HttpRequest) -> bool:
    """Whether the upload was stopped at the limit: known once the form has been read, so it is read here."""
    len(request.POST)
    return getattr(request, "upload_was_cut", False)
