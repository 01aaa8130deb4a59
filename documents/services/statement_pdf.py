"""The one form of a statement that the club renders itself: rows in, a PDF out.

The same sheet gives the same bytes, on every machine and at every hour: so a statement that is
rendered again is the one that is filed already. No ORM here.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

FONT, BOLD = "Statement", "Statement-Bold"
VERA: Final = ("Vera.ttf", "VeraBd.ttf")
MARGIN: Final = 18 * mm
BAND: Final = 20 * mm
HEAD: Final = 24 * mm
FOOT: Final = 16 * mm
GREY: Final = HexColor("#5b6770")
LINE: Final = HexColor("#d5dadd")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry; ``amount`` is what the household owes for it."""

    on: date | None
    number: str
    description: str
    where: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that stands on a statement. ``colour`` is the club's, as ``#rrggbb``."""

    club: str
    colour: str
    contact: str
    currency: str
    household: str
    account_no: str
    period: date
    previous: Decimal
    charges: Decimal
    payments: Decimal
    due: Decimal
    due_on: date | None
    lines: Sequence[Line] = ()
    assessments: Sequence[Line] = ()


def render_statement(sheet: Sheet) -> tuple[bytes, int]:
    """The PDF of ``sheet``, and how many pages it has: A4, the heads of its lines repeated on each."""
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        title=_("Statement of account, %(month)s") % {"month": _month(sheet.period)},
        author=sheet.club,
        creator=sheet.club,
        subject=sheet.account_no,
        invariant=1,
        initialFontName=_fonts()[0],
    )
    width, height = A4
    frame = Frame(
        MARGIN, FOOT, width - 2 * MARGIN, height - HEAD - FOOT, leftPadding=0, rightPadding=0,
        topPadding=6 * mm, bottomPadding=0,
    )  # fmt: skip
    document.addPageTemplates(
        [PageTemplate(frames=[frame], onPage=lambda canvas, _document: _draw_frame(canvas, sheet))]
    )
    document.build(_story(sheet, width - 2 * MARGIN), canvasmaker=_CountedCanvas)
    return out.getvalue(), document.page


class _CountedCanvas(Canvas):
    """Writes "Page 2 of 5" once it knows of how many."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            text = _("Page %(number)d of %(count)d") % {"number": number, "count": len(self._pages)}
            self.setFont(_fonts()[0], 8)
            self.setFillColor(GREY)
            self.drawRightString(A4[0] - MARGIN, 9 * mm, text)
            super().showPage()
        super().save()


def _draw_frame(canvas: Canvas, sheet: Sheet) -> None:
    """The band with the club's name above, and how to reach it below."""
    width, height = A4
    colour = HexColor(sheet.colour)
    ink = white if _is_dark(colour) else HexColor("#1b1f22")
    canvas.saveState()
    canvas.setFillColor(colour)
    canvas.rect(0, height - BAND, width, BAND, stroke=0, fill=1)
    canvas.setFillColor(ink)
    canvas.setFont(BOLD, 15)
    canvas.drawString(MARGIN, height - 12.5 * mm, _drawable(sheet.club))
    canvas.setFont(FONT, 11)
    canvas.drawRightString(width - MARGIN, height - 12.5 * mm, _drawable(_("Statement of account")))
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, 13 * mm, width - MARGIN, 13 * mm)
    canvas.setFont(FONT, 8)
    canvas.setFillColor(GREY)
    foot = f"{sheet.account_no} · {sheet.period:%Y-%m} · {sheet.contact}"
    canvas.drawString(MARGIN, 9 * mm, _drawable(foot))
    canvas.restoreState()


def _story(sheet: Sheet, width: float) -> list[Flowable]:
    small = ParagraphStyle("small", fontName=FONT, fontSize=8, textColor=GREY, leading=11)
    story: list[Flowable] = [
        _particulars(sheet, width),
        Spacer(0, 7 * mm),
        _sums(sheet, width),
        Spacer(0, 8 * mm),
        *_heading(_("Charges and payments"), sheet),
    ]
    if sheet.lines:
        total = (_("Sum of the lines"), _sum(sheet.lines))
        story.append(_lines(sheet.lines, width, dates=_("Date"), total=total, sheet=sheet))
    else:
        story.append(Paragraph(_marked(_("There were none in this month.")), small))
    if sheet.assessments:
        total = (_("Sum"), _sum(sheet.assessments))
        story += [
            Spacer(0, 8 * mm),
            *_heading(_("Assessments"), sheet),
            _lines(sheet.assessments, width, dates=_("Due"), total=total, sheet=sheet),
        ]
    note = _("All amounts in %(currency)s. Please tell us of an error within 30 days: %(contact)s.") % {
        "currency": sheet.currency,
        "contact": sheet.contact,
    }
    return [*story, Spacer(0, 8 * mm), Paragraph(_marked(note), small)]


def _particulars(sheet: Sheet, width: float) -> Table:
    label = ParagraphStyle("label", fontName=FONT, fontSize=8, textColor=GREY, leading=11)
    value = ParagraphStyle("value", fontName=BOLD, fontSize=10.5, leading=14)
    pairs = [
        (_("Household"), sheet.household),
        (_("Account number"), sheet.account_no),
        (_("Month"), _month(sheet.period)),
        (_("Please pay by"), _day(sheet.due_on) if sheet.due_on else _("on receipt")),
    ]
    cells = [[Paragraph(_marked(name), label), Paragraph(_marked(text), value)] for name, text in pairs]
    table = Table([cells], colWidths=[width * 0.37, width * 0.21, width * 0.21, width * 0.21])
    table.setStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return table


def _sums(sheet: Sheet, width: float) -> Table:
    """previous + charges − payments = due, as one line of boxes."""
    label = ParagraphStyle("sum", fontName=FONT, fontSize=8, textColor=GREY, leading=11)
    amount = ParagraphStyle("amount", fontName=BOLD, fontSize=11, leading=15)
    due_label = ParagraphStyle("due", parent=label, textColor=white)
    due_amount = ParagraphStyle("due amount", parent=amount, fontSize=13, textColor=white)
    colour = HexColor(sheet.colour)
    if not _is_dark(colour):
        due_label.textColor = due_amount.textColor = HexColor("#1b1f22")
    cells = [
        [Paragraph(_marked(_("Previous balance")), label), Paragraph(_money(sheet.previous), amount)],
        [Paragraph(_marked(_("+ Charges")), label), Paragraph(_money(sheet.charges), amount)],
        [Paragraph(_marked(_("− Payments")), label), Paragraph(_money(sheet.payments), amount)],
        [
            Paragraph(_marked(_("= Amount due")), due_label),
            Paragraph(f"{escape(sheet.currency)} {_money(sheet.due)}", due_amount),
        ],
    ]
    table = Table([cells], colWidths=[width * 0.23] * 3 + [width * 0.31])
    table.setStyle(
        [
            ("BOX", (0, 0), (-1, -1), 0.5, LINE),
            ("INNERGRID", (0, 0), (-1, -1), 0.5, LINE),
            ("BACKGROUND", (3, 0), (3, 0), colour),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
        ]
    )
    return table


def _lines(
    lines: Sequence[Line], width: float, *, dates: str, total: tuple[str, Decimal], sheet: Sheet
) -> Table:
    cell = ParagraphStyle("cell", fontName=FONT, fontSize=8.5, leading=11)
    right = ParagraphStyle("right", parent=cell, alignment=TA_RIGHT)
    bold = ParagraphStyle("bold", parent=cell, fontName=BOLD)
    bold_right = ParagraphStyle("bold right", parent=right, fontName=BOLD)
    heads = (dates, _("Number"), _("Description"), _("Where"), _("Amount"))
    rows: list[list[Any]] = [
        [Paragraph(_marked(head), bold_right if head == heads[-1] else bold) for head in heads]
    ]
    for line in lines:
        texts = (_day(line.on) if line.on else "", line.number, line.description, line.where)
        rows.append(
            [*(Paragraph(_marked(text), cell) for text in texts), Paragraph(_money(line.amount), right)]
        )
    rows.append(["", "", Paragraph(_marked(total[0]), bold), "", Paragraph(_money(total[1]), bold_right)])
    table = Table(rows, colWidths=[width * part for part in (0.14, 0.17, 0.36, 0.17, 0.16)], repeatRows=1)
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(sheet.colour)),
            ("LINEBELOW", (0, 1), (-1, -2), 0.3, LINE),
            ("LINEABOVE", (0, -1), (-1, -1), 0.8, HexColor(sheet.colour)),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return table


def _heading(text: str, sheet: Sheet) -> list[Flowable]:
    """On the next page, unless some lines of what follows have room below it."""
    colour = HexColor(sheet.colour)
    ink = colour if _is_dark(colour) else HexColor("#1b1f22")
    style = ParagraphStyle("heading", fontName=BOLD, fontSize=10.5, leading=15, spaceAfter=4, textColor=ink)
    return [CondPageBreak(30 * mm), Paragraph(_marked(text), style)]


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _money(amount: Decimal) -> str:
    text = f"{abs(amount):,.2f}"
    return f"−{text}" if amount < 0 else text


def _day(on: date) -> str:
    return date_format(on, "j M Y")


def _month(on: date) -> str:
    return date_format(on, "F Y")


def _is_dark(colour: Color) -> bool:
    """Whether white reads better on it, by its luminance as WCAG weighs the channels."""
    return bool(0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue < 0.5)


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, frozenset[int]]:
    """The name of the plain font, and the code points that it has; both are registered once a process.

    Bitstream Vera comes with reportlab, is free to embed, and has the letters of western and central
    Europe; a club that writes others names its own two TrueType files.
    """
    plain, bold = settings.STATEMENT_FONTS or VERA
    font = TTFont(FONT, plain)
    pdfmetrics.registerFont(font)
    pdfmetrics.registerFont(TTFont(BOLD, bold))
    return FONT, frozenset(font.face.charWidths)


def _marked(text: str) -> str:
    """``text`` for a Paragraph: nothing in it is markup."""
    return escape(_drawable(text))


def _drawable(text: str) -> str:
    """``text`` in letters that the font has: without marks where only those are lacking, else as ``?``."""
    known = _fonts()[1]
    return "".join(
        one if ord(one) in known else _nearest(one, known) for one in unicodedata.normalize("NFC", text)
    )


def _nearest(letter: str, known: frozenset[int]) -> str:
    if unicodedata.category(letter).startswith("C") or unicodedata.combining(letter):
        return ""
    return "".join(one for one in unicodedata.normalize("NFKD", letter) if ord(one) in known) or "?"
