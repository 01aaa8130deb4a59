"""A file of accounts from the upload to the end: taken, started by staff, carried on after a crash."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import AccountImport, AccountImportRow, Member
from accounts.parsers.sheets import SheetError, read_table
from accounts.policies.issuing import REQUIRED, columns_of, is_of_household, read_row
from accounts.services.issuing.known import Known
from accounts.services.issuing.rows import apply_row, judge_rows
from accounts.services.notifications import notify
from bcc.core import clock, transactions
from bcc.core.enqueue import enqueue
from bcc.core.errors import InvalidError, WrongStateError

TASK: Final = "accounts.run_import"
LEASE: Final = timedelta(seconds=60)
# The lease and the progress are written so often, and a task ends so soon for the next to carry on.
STEP: Final = 50
SECONDS_A_TASK: Final = 120.0
State = AccountImport.State
Verdict = AccountImportRow.Verdict


def take_file(*, name: str, data: bytes, by: str, now: datetime) -> AccountImport:
    """Read and judge a file, and keep every row with its verdict; nobody's account changes.

    Raises InvalidError on ``file`` for what is no table, or has no column that it must have.
    """
    try:
        table = read_table(name, data)
    except SheetError as error:
        raise _refused("unreadable", str(error)) from error
    if len(table) < 2:
        raise _refused("empty", _("The file has no rows. The first row names the columns."))
    columns, _unknown = columns_of(table[0])
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise _refused("columns", _("These columns are missing: %(names)s.") % {"names": ", ".join(missing)})
    rows = list(_rows(table, columns))
    judged = judge_rows(rows, known=Known(), now=now)
    made = [
        AccountImportRow(
            number=one.number,
            values=dict(one.values),
            verdict=one.verdict,
            reasons=[[field, str(reason)] for field, reason in one.reasons],
            member=one.member,
        )
        for one in judged
    ]
    batch = AccountImport(
        file_name=name[:200],
        sha256=hashlib.sha256(data).hexdigest(),
        uploaded_by=by[:150],
        created_at=now,
        total=len(made),
    )
    _keep(batch, made)
    return batch


@transactions.writes
def start_import(*, public_id: UUID, tells_members: bool, now: datetime) -> AccountImport:
    """Let the workers issue what the file says. Raises WrongStateError for one that was started."""
    waiting = AccountImport.objects.filter(public_id=public_id, state=State.CHECKED)
    if not waiting.update(state=State.RUNNING, tells_members=tells_members, leased_until=now):
        raise WrongStateError(_("This import was started before. See its rows."))
    enqueue(TASK, batch=str(public_id))
    return AccountImport.objects.get(public_id=public_id)


def find_unattended(*, now: datetime) -> list[UUID]:
    """Running imports that nobody works on."""
    return list(AccountImport.objects.unattended(now).order_by("pk").values_list("public_id", flat=True))


def carry_on(*, public_id: UUID, clock_now: Callable[[], datetime] = clock.now) -> bool:
    """What a worker does: some minutes of work, then another task. True when the import is done."""
    done = run_import(public_id=public_id, clock_now=clock_now, seconds=SECONDS_A_TASK)
    if not done and AccountImport.objects.unattended(clock_now()).filter(public_id=public_id).exists():
        enqueue(TASK, batch=str(public_id))
    return done


def run_import(
    *,
    public_id: UUID,
    clock_now: Callable[[], datetime] = clock.now,
    seconds: float = float("inf"),
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Issue the rows that are left, each in a transaction of its own; True when none is left.

    A row that the club's rules refuse is kept with the reason, and the others go in. Two workers never
    work on one import: the lease says who does.
    """
    began = time.monotonic()
    if not _lease(public_id, clock_now()):
        return False
    batch = AccountImport.objects.get(public_id=public_id)
    known = Known()
    left = _left(batch)
    for number, row in enumerate(left, start=1):
        _apply(batch, row, known, clock_now())
        if number % STEP == 0 or number == len(left):
            _note_progress(batch, clock_now())
            if progress is not None:
                progress(batch.done, batch.total)
            if time.monotonic() - began > seconds and number < len(left):
                AccountImport.objects.filter(pk=batch.pk).update(leased_until=clock_now())
                return False
    _finish(batch, clock_now())
    return True


def _rows(table: Sequence[Sequence[str]], columns: dict[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(table[1:], start=2):
        if any(cells):
            yield number, {field: cells[column] for field, column in columns.items() if column < len(cells)}


def _left(batch: AccountImport) -> list[AccountImportRow]:
    """Those that can go in and have not yet, principals before the people who hang on them."""
    waiting = batch.rows.filter(applied_at__isnull=True).exclude(verdict=Verdict.REFUSED)
    return sorted(waiting, key=lambda row: (is_of_household(row.values), row.number))


def _apply(batch: AccountImport, row: AccountImportRow, known: Known, now: datetime) -> None:
    read, reasons = read_row(row.values, region=settings.CLUB_PHONE_REGION)
    if read is None:
        _refuse(row, [[field, str(reason)] for field, reason in reasons], now)
        return

    @transactions.writes
    def issue() -> tuple[Member, Verdict]:
        member, verdict = apply_row(read, known=known, now=now)
        AccountImportRow.objects.filter(pk=row.pk).update(
            verdict=verdict, reasons=[], member=member, applied_at=now
        )
        if verdict == Verdict.NEW and batch.tells_members:
            tell_of_account(member, now)
        return member, verdict

    try:
        member, verdict = issue()
    except InvalidError as error:
        _refuse(
            row, [[field, str(text)] for field, pairs in error.errors.items() for _code, text in pairs], now
        )
        return
    if verdict == Verdict.NEW:
        known.add(member)


def tell_of_account(member: Member, now: datetime) -> None:
    """Write to a new member how to activate the account; once for each account."""
    if member.user_id is not None:
        notify(
            user_id=member.user_id,
            kind="account_issued",
            context={"name": member.full_name, "member_no": member.member_no},
            dedupe=f"account_issued:{member.public_id.hex}",
            now=now,
        )


@transactions.writes
def _refuse(row: AccountImportRow, reasons: list[list[str]], now: datetime) -> None:
    AccountImportRow.objects.filter(pk=row.pk).update(
        verdict=Verdict.REFUSED, reasons=reasons, applied_at=now
    )


@transactions.writes
def _keep(batch: AccountImport, rows: list[AccountImportRow]) -> None:
    batch.save()
    for row in rows:
        row.batch = batch
    AccountImportRow.objects.bulk_create(rows, batch_size=100)


@transactions.writes
def _lease(public_id: UUID, now: datetime) -> bool:
    free = AccountImport.objects.unattended(now).filter(public_id=public_id)
    return bool(free.update(leased_until=now + LEASE))


@transactions.writes
def _note_progress(batch: AccountImport, now: datetime) -> None:
    batch.done = batch.rows.filter(applied_at__isnull=False).count()
    AccountImport.objects.filter(pk=batch.pk).update(done=batch.done, leased_until=now + LEASE)


@transactions.writes
def _finish(batch: AccountImport, now: datetime) -> None:
    AccountImport.objects.filter(pk=batch.pk).update(
        state=State.DONE, finished_at=now, leased_until=None, done=F("total")
    )


def _refused(code: str, detail: str) -> InvalidError:
    return InvalidError(detail, errors={"file": [(code, detail)]})
