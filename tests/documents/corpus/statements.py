"""Statements as PDF: one for each membership, and all of them merged into one file."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tests.documents.corpus.people import PERIOD, Account, Charge

# Millimetres from the top left corner: left, top, width, height. What a region in the admin would say.
ACCOUNT_BOX: Final = (110.0, 22.0, 95.0, 16.0)
ACCOUNT_LABEL: Final = "Account No."
LINES_ON_FIRST: Final = 24
LINES_ON_NEXT: Final = 36
FONT: Final = "Vera"
WIDTH, HEIGHT = A4


def pages_of(account: Account) -> int:
    more = len(account.charges) - LINES_ON_FIRST
    return 1 if more <= 0 else 1 + -(-more // LINES_ON_NEXT)


def merged(
    path: Path, accounts: Sequence[Account], dice: random.Random, *, pages: int | None = None
) -> dict[str, Any]:
    """Everybody's statement in one file, between a cover and the control page; its part of the manifest.

    One account belongs to nobody, one page is turned, one is a scan, one statement comes twice. Of every
    fifth account the continuation pages repeat the number. ``pages``: so many in all; long accounts get
    pages of conditions to make it up.
    """
    canvas = _canvas(path)
    items: list[dict[str, Any]] = []
    page = 1
    _cover(canvas, "Statement run of October 2026", accounts)
    items.append({"first": 1, "last": 1, "account_no": "", "expect": "quarantined", "why": "cover"})
    order = list(accounts)
    stranger = Account("D-9999", "Nobody Demo 9999", order[0].previous, order[0].payments, order[0].charges)
    order.insert(len(order) // 2, stranger)
    twice = order[len(order) // 3]
    order.append(twice)
    scan = len(order) // 4
    conditions = _shared_out(order, twice, 0 if pages is None else pages - 3)
    for number, account in enumerate(order):
        # What comes twice looks the same both times.
        drawn = order.index(account)
        if number == scan:
            _scan(canvas)
            page += 1
            items.append(
                {"first": page, "last": page, "account_no": "", "expect": "quarantined", "why": "no_text"}
            )
        count = statement(
            canvas, account, turned=drawn % 97 == 5, repeats=drawn % 5 == 0, extra=conditions[drawn]
        )
        expect, why = ("quarantined", "unknown_account") if account is stranger else ("filed", "")
        if account is twice and number == len(order) - 1:
            expect, why = "quarantined", "twice"
        items.append(
            {
                "first": page + 1,
                "last": page + count,
                "account_no": account.account_no,
                "expect": expect,
                "why": why,
            }
        )
        page += count
    _control(canvas, accounts)
    page += 1
    items.append({"first": page, "last": page, "account_no": "", "expect": "quarantined", "why": "cover"})
    canvas.save()
    return {"kind": "statement_pdf", "period": PERIOD, "pages": page, "items": items}


def _shared_out(order: Sequence[Account], twice: Account, pages: int) -> list[int]:
    """How many pages of conditions each gets, for ``pages`` in all; both of the pair the same."""
    missing = max(0, pages - sum(pages_of(account) for account in order))
    found = [missing // len(order)] * len(order)
    others = [number for number, account in enumerate(order) if account is not twice]
    for number in range(missing % len(order)):
        found[others[number % len(others)]] += 1
    return found


def single(account: Account, *, title: str = "STATEMENT OF ACCOUNT", lines: int | None = None) -> bytes:
    """One account's statement as a file of its own. ``lines``: only its first."""
    stream = BytesIO()
    canvas = _canvas(stream)
    if lines is not None:
        account = Account(
            account.account_no, account.name, account.previous, account.payments, account.charges[:lines]
        )
    statement(canvas, account, title=title)
    canvas.save()
    return stream.getvalue()


def statement(
    canvas: Canvas,
    account: Account,
    *,
    title: str = "STATEMENT OF ACCOUNT",
    turned: bool = False,
    repeats: bool = False,
    extra: int = 0,
) -> int:
    """Draw it, and return how many pages it took. ``turned``: its first page lies on its side in the file."""
    parts = list(_parts(account.charges)) + [()] * extra
    for number, lines in enumerate(parts, start=1):
        if turned and number == 1:
            # Drawn upright on a page that is turned back by /Rotate: a printer driver's habit.
            canvas.setPageSize((HEIGHT, WIDTH))
            canvas.setPageRotation(90)
            canvas.translate(HEIGHT, 0)
            canvas.rotate(90)
        else:
            canvas.setPageSize(A4)
            canvas.setPageRotation(0)
        _head(canvas, title)
        if number == 1 or repeats:
            canvas.drawString(125 * mm, HEIGHT - 30 * mm, f"{ACCOUNT_LABEL} {account.account_no}")
        if number == 1:
            _summary(canvas, account)
        _lines(canvas, lines, top=95 if number == 1 else 50)
        canvas.drawCentredString(WIDTH / 2, 12 * mm, f"Page {number} of {len(parts)}")
        canvas.showPage()
    return len(parts)


def _parts(charges: tuple[Charge, ...]) -> Iterator[tuple[Charge, ...]]:
    yield charges[:LINES_ON_FIRST]
    for start in range(LINES_ON_FIRST, len(charges), LINES_ON_NEXT):
        yield charges[start : start + LINES_ON_NEXT]


def _canvas(where: Path | BytesIO) -> Canvas:
    if FONT not in pdfmetrics.getRegisteredFontNames():
        # It comes with reportlab, and is embedded as a club's own typeface would be.
        pdfmetrics.registerFont(TTFont(FONT, "Vera.ttf"))
    rl_config.invariant = 1
    canvas = Canvas(str(where) if isinstance(where, Path) else where, pagesize=A4, pageCompression=1)
    canvas.setTitle("Statements of account, demo")
    return canvas


_LOGO: list[ImageReader] = []


def _logo() -> ImageReader:
    if not _LOGO:
        picture = Image.new("RGB", (160, 60), "#0a4d3c")
        ImageDraw.Draw(picture).ellipse((12, 12, 48, 48), fill="#e8d9a0")
        _LOGO.append(ImageReader(picture))
    return _LOGO[0]


def _head(canvas: Canvas, title: str) -> None:
    canvas.drawImage(_logo(), 15 * mm, HEIGHT - 27 * mm, 32 * mm, 12 * mm)
    canvas.setFont(FONT, 13)
    canvas.drawString(52 * mm, HEIGHT - 20 * mm, title)
    canvas.setFont(FONT, 9)
    canvas.drawString(52 * mm, HEIGHT - 26 * mm, "Demo Country Club")


def _summary(canvas: Canvas, account: Account) -> None:
    canvas.drawString(15 * mm, HEIGHT - 42 * mm, account.name)
    canvas.drawString(125 * mm, HEIGHT - 42 * mm, "Period October 2026")
    rows = (
        ("Previous balance", account.previous),
        ("Charges", account.charged),
        ("Payments", account.payments),
        ("Amount due", account.due),
    )
    for number, (label, amount) in enumerate(rows):
        y = HEIGHT - (55 + 7 * number) * mm
        canvas.drawString(125 * mm, y, label)
        canvas.drawRightString(195 * mm, y, f"{amount:,.2f}")


def _lines(canvas: Canvas, charges: Sequence[Charge], *, top: int) -> None:
    canvas.setFont(FONT, 8)
    for number, charge in enumerate(charges):
        y = HEIGHT - (top + 6 * number) * mm
        canvas.drawString(15 * mm, y, f"{charge.on:%m/%d/%Y}")
        canvas.drawString(40 * mm, y, charge.number)
        canvas.drawString(75 * mm, y, charge.outlet)
        canvas.drawRightString(195 * mm, y, f"{charge.amount:,.2f}")
    if not charges:
        canvas.drawString(
            15 * mm, HEIGHT - top * mm, "Conditions: accounts are due within 30 days of receipt."
        )
    canvas.setFont(FONT, 9)


def _cover(canvas: Canvas, title: str, accounts: Sequence[Account]) -> None:
    _head(canvas, title)
    canvas.drawString(15 * mm, HEIGHT - 60 * mm, f"{len(accounts)} accounts")
    canvas.showPage()


def _control(canvas: Canvas, accounts: Sequence[Account]) -> None:
    """Finance's own sums: nothing that a member may ever see."""
    canvas.setPageSize(A4)
    canvas.setPageRotation(0)
    _head(canvas, "Control totals")
    total = sum(account.due for account in accounts)
    canvas.drawString(15 * mm, HEIGHT - 60 * mm, f"Total receivable {total:,.2f}")
    canvas.showPage()


def _scan(canvas: Canvas) -> None:
    """A page that is a picture, as a scanner makes it."""
    canvas.setPageSize(A4)
    canvas.setPageRotation(0)
    canvas.drawImage(_logo(), 20 * mm, 60 * mm, 160 * mm, 200 * mm)
    canvas.showPage()
