"""Page regions tried with a sample PDF: the page drawn with each region on it, and what was read there."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image

from bcc.core.backoffice import ClubModelAdmin
from documents.isolation import ChildFailedError, Refusal
from documents.isolation.folders import WorkFolder
from documents.models import BatchKind, PageRegion
from documents.parsers import pdfs
from documents.policies.reasons import sentence
from documents.services.batches.kinds.accounts import Accounts
from documents.services.batches.kinds.merged import regions_of

WIDTH: Final = 640
MOST_PAGES: Final = 3
# In mm, upright and lying.
PAPERS: Final = ((210, 297), (216, 279), (216, 356), (297, 210), (279, 216))
CLOSE: Final = 0.02


class RegionTestForm(forms.Form):
    sample = forms.FileField(
        label=gettext_lazy("Sample PDF"),
        help_text=gettext_lazy("Some pages of a real file. It is looked at and not kept."),
    )
    left = forms.IntegerField(label=gettext_lazy("Left, mm"), required=False, min_value=0, max_value=2_000)
    top = forms.IntegerField(label=gettext_lazy("Top, mm"), required=False, min_value=0, max_value=2_000)
    width = forms.IntegerField(label=gettext_lazy("Width, mm"), required=False, min_value=1, max_value=2_000)
    height = forms.IntegerField(
        label=gettext_lazy("Height, mm"), required=False, min_value=1, max_value=2_000
    )
    label = forms.CharField(label=gettext_lazy("Label"), required=False, max_length=60)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        given = [cleaned.get(name) is not None for name in ("left", "top", "width", "height")]
        if any(given) and not all(given):
            raise forms.ValidationError(_("Give all four measures of the region to try, or none of them."))
        return cleaned


@dataclass(frozen=True, slots=True)
class TriedPage:
    """A page as a picture, and what was read on it."""

    number: int
    picture: str
    width_mm: int
    height_mm: int
    said: str
    is_found: bool


def region_test_page(page: ClubModelAdmin[PageRegion], request: HttpRequest) -> HttpResponse:
    """Try the club's regions, or one that is not saved yet, with the first pages of a sample."""
    form = RegionTestForm(request.POST or None, request.FILES or None)
    tried: list[TriedPage] = []
    regions = regions_of(BatchKind.STATEMENT_PDF)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given.get("width"):
            regions = [
                pdfs.Region(
                    _("to try"),
                    given["left"],
                    given["top"],
                    given["width"],
                    given["height"],
                    label=given["label"],
                )
            ]
        try:
            tried = list(_tried(given["sample"], regions))
        except Refusal as refusal:
            form.add_error("sample", str(sentence(refusal.code)))
        except ChildFailedError:
            form.add_error("sample", str(sentence("child_failed")))
    context = {
        **page.admin_site.each_context(request),
        "title": _("Try the regions with a sample"),
        "opts": page.model._meta,
        "form": form,
        "tried": tried,
        "regions": regions,
        "saved": PageRegion.objects.filter(is_active=True).order_by("position", "pk"),
        "width": WIDTH,
    }
    return TemplateResponse(request, "admin/documents/region_test.html", context)


def _tried(sample: Any, regions: list[pdfs.Region]) -> Iterator[TriedPage]:
    accounts = Accounts()
    with WorkFolder() as folder, pdfs.Workers(1) as workers:
        path = Path(folder) / "sample.pdf"
        with path.open("wb") as out:
            for chunk in sample.chunks():
                out.write(chunk)
        count = min(pdfs.inspect(path, workers=workers).pages, MOST_PAGES)
        read = pdfs.read_pages(path, regions, known=accounts.keys, last=count, workers=workers)
        for found in list(islice(read, count)):
            picture = pdfs.thumbnail(path, found.number, WIDTH, workers=workers)
            yield TriedPage(
                found.number,
                f"data:image/webp;base64,{base64.b64encode(picture).decode()}",
                *_paper(picture),
                _said(found, accounts),
                bool(found.key),
            )


def _paper(picture: bytes) -> tuple[int, int]:
    """Width and height in mm by the shape of a picture of ours: A4, Letter or Legal, else as wide as A4."""
    with Image.open(io.BytesIO(picture)) as opened:
        shape = opened.height / opened.width
    width, height = min(PAPERS, key=lambda paper: abs(paper[1] / paper[0] - shape))
    return (width, height) if abs(height / width - shape) < CLOSE else (210, round(210 * shape))


def _said(found: pdfs.PageRead, accounts: Accounts) -> str:
    if found.key:
        text = (
            _("%(region)s reads %(account)s. The club has this account.")
            if accounts.find(found.key) is not None
            else _("%(region)s reads %(account)s. The club has no such account.")
        )
        return text % {"region": found.region, "account": found.text}
    if not found.has_text:
        return _("The page is a picture without text: nothing can be read.")
    return _("No account number here. Such a page goes on with the document before it.")
