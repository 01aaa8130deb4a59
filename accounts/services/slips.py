"""Activation slips to print: who, the member number, and where the code will go. No secret is on them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import segno
from django.conf import settings
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from accounts.models import Member
from accounts.services.one_time_passwords import where_codes_go

A_PAGE: Final = 4
_MARGIN: Final = 16 * mm
_QR_SIZE: Final = 34 * mm
_FONT, _BOLD = "Helvetica", "Helvetica-Bold"


def make_slips(members: Iterable[Member]) -> bytes:
    """A PDF on A4, four slips a page with lines to cut along, in the order given.

    Only accounts that wait for their activation have one. The letters of names are those of Windows-1252;
    any other is printed as a question mark.
    """
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setTitle(_("Activation slips"))
    canvas.setAuthor(settings.CLUB_NAME)
    height = A4[1] / A_PAGE
    waiting = [one for one in members if one.user is not None and one.user.awaits_activation]
    for number, member in enumerate(waiting):
        place = number % A_PAGE
        if number and place == 0:
            canvas.showPage()
        _draw(canvas, member, top=A4[1] - place * height, height=height)
    if not waiting:
        canvas.setFont(_FONT, 12)
        canvas.drawString(_MARGIN, A4[1] - _MARGIN, _("Nobody waits for an activation."))
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def activation_link(member: Member) -> str:
    """What the picture on a slip says: the app opens it at its activation page."""
    base = settings.ACTIVATION_LINK or f"{settings.PUBLIC_URL.rstrip('/')}/activate"
    return f"{base}?member={quote(member.member_no)}"


def where_to(member: Member) -> str:
    """Where the code of the activation will go, masked; empty where the club has no address."""
    if member.user is None:
        return ""
    reached = where_codes_go(member.user)
    return "" if reached is None else reached[1]


def _draw(canvas: Canvas, member: Member, *, top: float, height: float) -> None:
    left, right = _MARGIN, A4[0] - _MARGIN
    canvas.setFont(_BOLD, 14)
    canvas.drawString(left, top - 16 * mm, _printable(settings.CLUB_NAME))
    canvas.setFont(_FONT, 11)
    canvas.drawString(left, top - 24 * mm, _printable(member.full_name))
    canvas.setFont(_BOLD, 13)
    canvas.drawString(left, top - 31 * mm, _printable(f"{_('Member number')}: {member.member_no}"))
    canvas.setFont(_FONT, 10)
    address = where_to(member)
    steps = [
        _("1. Open the club's app, or point your camera at the picture."),
        _("2. Choose to activate your account and enter your member number."),
        _("3. Enter the code that we send to %(address)s.") % {"address": address}
        if address
        else _("3. We have no mobile number or e-mail of yours: bring an ID to the membership office."),
        _("4. Choose a password of your own. Nobody at the club knows it or asks for it."),
    ]
    for number, step in enumerate(steps):
        canvas.drawString(left, top - (40 + 6 * number) * mm, _printable(step))
    _draw_picture(canvas, activation_link(member), x=right - _QR_SIZE, y=top - 14 * mm - _QR_SIZE)
    canvas.setDash(2, 3)
    canvas.setLineWidth(0.4)
    canvas.line(0, top - height, A4[0], top - height)
    canvas.setDash()


def _draw_picture(canvas: Canvas, text: str, *, x: float, y: float) -> None:
    rows = list(segno.make(text, error="m", micro=False).matrix)
    size = _QR_SIZE / len(rows)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                canvas.rect(x + across * size, y + _QR_SIZE - (down + 1) * size, size, size, stroke=0, fill=1)


def _printable(text: str) -> str:
    """What the built-in fonts have; they say WinAnsi, and draw a box for all else."""
    # The ellipsis of a masked address is in it.
    return text.encode("cp1252", errors="replace").decode("cp1252")
