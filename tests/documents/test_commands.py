from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import Member, User
from documents.models import ImportBatch, StatementSummary
from tests.documents.batches.delivery import balance, balances_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, owner: Member) -> Path:
    path = tmp_path / "may.csv"
    rows = balance(owner.membership, 0, 5, 0, 5), balance("Z-9", 0, 7, 0, 7)
    path.write_bytes(balances_file(*rows).content.read())
    return path


@pytest.fixture(autouse=True)
def at_now(travel: time_machine.Traveller) -> None:
    """The commands read the clock themselves."""


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, **options)
    return out.getvalue()


def ingest(file: Path, *more: str) -> str:
    return run("ingest_finance", file, "--kind", "balances", "--period", "2026-05", *more)


class TestIngestFinance:
    def test_reads_and_checks_and_says_what_waits(self, file: Path) -> None:
        said = ingest(file, "--control-count", "2", "--control-total", "12.00")
        assert "waits for review" in said
        assert "2 items: 1 to publish, 0 filed, 1 in quarantine (1 wait for a decision)" in said
        assert "unknown_account" in said
        assert str(ImportBatch.objects.get().control_total) == "12.00"

    def test_changes_nothing_the_second_time(self, file: Path) -> None:
        ingest(file)
        assert "there already" in ingest(file)
        assert ImportBatch.objects.count() == 1

    def test_makes_a_trial_real(self, file: Path) -> None:
        assert "trial" in ingest(file, "--dry-run")
        assert ImportBatch.objects.get().is_trial
        assert "trial" not in ingest(file)
        assert not ImportBatch.objects.get().is_trial

    def test_fails_where_the_file_is_none(self, tmp_path: Path) -> None:
        file = tmp_path / "x.csv"
        file.write_text("nothing,of,it\n1,2,3\n")
        with pytest.raises(CommandError, match="The batch failed"):
            ingest(file)
        with pytest.raises(CommandError, match="cannot be read"):
            ingest(tmp_path / "absent.csv")
        with pytest.raises(CommandError, match="is no amount"):
            ingest(file, "--control-total", "lots")
        with pytest.raises(CommandError, match="belongs to a month"):
            run("ingest_finance", file, "--kind", "balances")


class TestFinanceBatch:
    def test_approves_and_rolls_back_by_who_may(self, file: Path, make_staff: Callable[[str], User]) -> None:
        uploader, approver = make_staff("Finance Uploader"), make_staff("Finance Approver")
        ingest(file, "--by", uploader.username)
        pk = ImportBatch.objects.get().public_id.hex[:8]
        assert "may.csv" in run("finance_batch", "list")
        with pytest.raises(CommandError, match="approve_batch is missing"):
            run("finance_batch", "approve", pk, "--by", uploader.username)
        run("finance_batch", "approve", pk, "--by", approver.username, "--dry-run")
        assert not StatementSummary.objects.exists()
        assert "published" in run("finance_batch", "approve", pk, "--by", approver.username)
        assert StatementSummary.objects.published().count() == 1

        with pytest.raises(CommandError, match="Say why"):
            run("finance_batch", "rollback", pk, "--by", approver.username)
        said = run("finance_batch", "rollback", pk, "--by", approver.username, "--reason", "Wrong.")
        assert "rolled back" in said
        assert not StatementSummary.objects.published().exists()
        with pytest.raises(CommandError, match="another state"):
            run("finance_batch", "rollback", pk, "--by", approver.username, "--reason", "Again.")

    def test_finds_one_batch_or_says_so(self) -> None:
        with pytest.raises(CommandError, match="0 batches"):
            run("finance_batch", "show", "abcd")
        with pytest.raises(CommandError, match="no id"):
            run("finance_batch", "show", "x" * 32)


class TestScanDropfolder:
    def test_looks_once(self, file: Path, settings: Any, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no drop folder"):
            run("scan_dropfolder")
        settings.FINANCE_DROP_FOLDER = str(tmp_path)
        assert "0 taken" in run("scan_dropfolder")
