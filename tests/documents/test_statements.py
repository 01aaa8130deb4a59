"""Statements that the club renders itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from reportlab.lib.colors import HexColor

from accounts.models import Member, User
from bcc.core.actors import Actor
from bcc.core.errors import WrongStateError
from documents.models import BatchKind, Document, Period, Publication, StatementSummary
from documents.services import statement_pdf, statements
from documents.services.assets import read_asset
from documents.services.statement_pdf import Line, Sheet, render_statement
from documents.services.statements import PeriodClosedError, render_statements, withdraw_document
from tests.bcc.conftest import ROOT
from tests.documents.papers import (
    file_in_batch,
    make_account,
    make_batch,
    make_document,
    make_entry,
    make_sums,
)
from tests.factories import MemberFactory

MAY = "2026-05"
SHEET = Sheet(
    club="Test Club", colour="#1f5c3f", contact="club@example.com", currency="PHP",
    household="Señora Ñuñez-Dạng 王", account_no="T-00001", period=date(2026, 5, 1),
    previous=Decimal("1250.00"), charges=Decimal("4380.50"), payments=Decimal("1250.00"),
    due=Decimal("-4380.50"), due_on=date(2026, 6, 20),
    lines=[Line(date(2026, 5, 17), "CH-1", "<b>Lunch & tea</b>", "Terrace", Decimal("1860.00"))],
)  # fmt: skip
AGAIN = """
import hashlib, sys
import django; django.setup()
from tests.documents.test_statements import SHEET
from documents.services.statement_pdf import render_statement
print(hashlib.sha256(render_statement(SHEET)[0]).hexdigest())
"""


def texts(body: bytes) -> list[str]:
    """The text of each page."""
    pdf = pypdfium2.PdfDocument(body)
    try:
        found = []
        for page in pdf:
            text = page.get_textpage()
            found.append(text.get_text_range())
            text.close()
            page.close()
        return found
    finally:
        pdf.close()


class TestRenderStatement:
    def test_shows_what_the_household_has_to_know(self) -> None:
        body, pages = render_statement(SHEET)
        (text,) = texts(body)
        assert pages == 1
        for word in (
            "Test Club", "Statement of account", "T-00001", "May 2026", "20 Jun 2026", "1,250.00", "4,380.50",
            "PHP −4,380.50", "<b>Lunch & tea</b>", "17 May 2026", "1,860.00", "Page 1 of 1",
            "Señora Ñuñez-Dang ?",
        ):  # fmt: skip
            assert word in text, word

    def test_repeats_the_head_on_each_page_and_counts_them(self) -> None:
        lines = [replace(SHEET.lines[0], number=f"CH-{number}") for number in range(120)]
        body, pages = render_statement(replace(SHEET, lines=lines))
        found = texts(body)
        assert len(found) == pages > 2
        for number, text in enumerate(found, start=1):
            assert f"Page {number} of {pages}" in text
            assert "Description" in text
        assert "CH-119" in found[-1]
        assert "223,200.00" in found[-1]
        assert "CH-0" in found[0]

    def test_says_when_there_was_nothing(self) -> None:
        (text,) = texts(render_statement(replace(SHEET, lines=(), due_on=None))[0])
        assert "There were none in this month." in text
        assert "on receipt" in text

    def test_is_the_same_bytes_for_the_same_rows_in_another_process_on_another_day(self) -> None:
        body, _pages = render_statement(SHEET)
        done = subprocess.run(
            [sys.executable, "-c", AGAIN],
            cwd=ROOT,
            env={**os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == hashlib.sha256(body).hexdigest()

    def test_is_read_on_a_light_colour_too(self) -> None:
        assert statement_pdf._is_dark(HexColor("#1f5c3f"))
        assert not statement_pdf._is_dark(HexColor("#f2d16b"))
        assert render_statement(replace(SHEET, colour="#f2d16b"))[0].startswith(b"%PDF")


@pytest.mark.django_db
class TestRenderStatements:
    def test_files_one_for_each_household_with_sums(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        MemberFactory.create()  # nothing was published for them
        for one in (owner, stranger):
            make_sums(one.membership, MAY, now=now, due="4380.50")
        make_account(owner.membership, MAY, now=now)
        done = render_statements(period=MAY, now=now)
        assert (len(done.made), done.seen) == (2, 2)
        mine = Document.objects.get(membership=owner.membership)
        assert (mine.state, mine.version, mine.pages, mine.period) == ("published", 1, 1, MAY)
        (text,) = texts(read_asset(mine.asset))
        for word in (
            "Test Owner",
            "4,380.50",
            "CH-1",
            "Assessment for the course",
            owner.membership.account_no,
        ):
            assert word in text, word

    def test_again_changes_nothing(self, owner: Member, now: datetime) -> None:
        make_sums(owner.membership, MAY, now=now)
        render_statements(period=MAY, now=now)
        again = render_statements(period=MAY, now=now)
        assert (again.made, again.unchanged) == ([], 1)
        assert Document.objects.count() == 1

    def test_corrected_rows_give_a_new_version_and_the_old_ones_again_the_old(
        self, owner: Member, now: datetime
    ) -> None:
        make_sums(owner.membership, MAY, now=now)
        (first,) = render_statements(period=MAY, now=now).made
        entry = make_entry(owner.membership, MAY, now=now, number="CH-9", posted_on=date(2026, 5, 3))
        (second,) = render_statements(period=MAY, now=now).made
        first.refresh_from_db()
        assert (first.state, second.state, second.version) == ("superseded", "published", 2)
        entry.state = Publication.WITHDRAWN
        entry.save()
        (third,) = render_statements(period=MAY, now=now).made
        assert third.pk == first.pk
        second.refresh_from_db()
        assert (third.state, second.state) == ("published", "superseded")

    def test_leaves_what_finance_sent(self, owner: Member, now: datetime) -> None:
        sent = make_document(owner.membership, MAY, now=now)
        file_in_batch(make_batch(BatchKind.STATEMENT_ZIP, now=now), sent)
        make_sums(owner.membership, MAY, now=now)
        done = render_statements(period=MAY, now=now)
        assert (done.made, done.given) == ([], 1)

    def test_does_not_bring_back_what_staff_withdrew(self, owner: Member, now: datetime) -> None:
        make_sums(owner.membership, MAY, now=now)
        (made,) = render_statements(period=MAY, now=now).made
        withdraw_document(document=made, by=Actor("staff", "Test"), reason="Wrong.", now=now)
        done = render_statements(period=MAY, now=now)
        assert (done.made, done.withdrawn) == ([], 1)

    def test_takes_published_rows_alone(self, owner: Member, now: datetime) -> None:
        make_sums(owner.membership, MAY, now=now, state=Publication.DRAFT)
        assert render_statements(period=MAY, now=now).seen == 0

    def test_refuses_a_closed_month(self, owner: Member, now: datetime) -> None:
        make_sums(owner.membership, MAY, now=now)
        Period.objects.create(period=MAY, closed_at=now)
        with pytest.raises(PeriodClosedError):
            render_statements(period=MAY, now=now)
        with pytest.raises(ValueError, match="no period"):
            render_statements(period="May", now=now)

    def test_costs_as_many_queries_a_page_whatever_is_on_it(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
    ) -> None:
        monkeypatch.setattr(statements, "PAGE", 2)
        for _ in range(5):
            member = MemberFactory.create()
            make_sums(member.membership, MAY, now=now)
            make_account(member.membership, MAY, now=now)
        with django_assert_max_num_queries(1 + 3 * 6 + 5 * 14):
            assert len(render_statements(period=MAY, now=now).made) == 5
        assert StatementSummary.objects.count() == 5


@pytest.mark.django_db
class TestWithdrawDocument:
    def test_takes_it_from_the_member_and_says_who_and_why(
        self, owner: Member, now: datetime, make_staff: Callable[[str], User]
    ) -> None:
        approver = make_staff("Finance Approver")
        document = make_document(owner.membership, MAY, now=now)
        withdraw_document(
            document=document, by=Actor("staff", "Test", approver.pk), reason="Another's.", now=now
        )
        assert (document.state, document.ended_at, document.ended_by, document.end_reason) == (
            "withdrawn", now, approver, "Another's.",
        )  # fmt: skip
        assert not Document.objects.shown_to(owner.pk).exists()

    def test_refuses_what_is_not_published(self, owner: Member, now: datetime) -> None:
        document = make_document(owner.membership, MAY, now=now)
        withdraw_document(document=document, by=Actor("system", "x"), reason="Once.", now=now)
        with pytest.raises(WrongStateError):
            withdraw_document(document=document, by=Actor("system", "x"), reason="Twice.", now=now)
        document.refresh_from_db()
        assert document.end_reason == "Once."
