"""In a child: a page as a small picture."""

from __future__ import annotations

from typing import Any, Final

import pypdfium2

from documents.isolation.errors import Refusal

WIDEST: Final = 1_600
# A strip of a page is not drawn to its end.
_TALLEST: Final = 4_000


def work(*, path: str, page: int, width: int) -> str:
    """The name of a WebP in the working folder."""
    width = max(16, min(width, WIDEST))
    try:
        document = pypdfium2.PdfDocument(path)
        try:
            return _drawn(document, page, width)
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        raise Refusal("pdf_damaged", str(error)) from error


def _drawn(document: Any, number: int, width: int) -> str:
    if not 1 <= number <= len(document):
        raise Refusal("page_missing", str(number))
    page = document[number - 1]
    across, down = page.get_size()
    if across < 1 or down < 1:
        raise Refusal("pdf_damaged", "a page without a size")
    scale = min(width / across, _TALLEST / down)
    picture = page.render(scale=scale, may_draw_forms=False, optimize_mode="lcd").to_pil()
    picture.convert("RGB").save("page.webp", "WEBP", quality=80, method=4)
    return "page.webp"
