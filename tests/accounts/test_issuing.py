"""Accounts from a file: read, judged, issued, and the same file again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import tasks
from accounts.models import (
    AccountImport,
    AccountImportRow,
    Device,
    Member,
    MembershipCategory,
    Notification,
    Session,
    User,
)
from accounts.parsers import sheets
from accounts.parsers.sheets import SheetError, read_table
from accounts.policies.issuing import columns_of, household_number, next_number, read_row, usual_rights
from accounts.services.household import (
    AccountClosedError,
    close_account,
    deactivate_user,
    reactivate_user,
    reissue_account,
)
from accounts.services.issuing import batches, find_unattended, run_import, start_import, take_file
from accounts.services.sessions import open_session
from accounts.services.slips import activation_link, make_slips, where_to
from bcc.core.errors import InvalidError, WrongStateError

HEADING = "Account No,Category,Member No.,Relation,First Name,Last Name,Birth date,E-mail,Mobile,Can book"
GOOD = f"""{HEADING}
A-100,regular,M-100,principal,Demo,Alpha,1980-05-17,alpha@example.com,0917 123 4567,yes
A-100,Regular,M-100A,spouse,Demo,Beta,,,,
A-101,regular,,,Demo,Gamma,,gamma@example.com,,
A-101,regular,,dependent,Demo,Delta,2015-01-02,,,
"""
BROKEN = f"""{HEADING}
A-200,regular,M-200,principal,Demo,Good,,,,
A-201,nothing,M-201,principal,Demo,NoCategory,,,,
A-202,regular,M-200,principal,Demo,SameNumber,,,,
,regular,M-203,,Demo,,,,,
A-204,regular,M-204,cousin,Demo,Cousin,30/02/2020,nobody,12,perhaps
A-205,regular,M-205,spouse,Demo,Alone,,,,
"""


@pytest.fixture
def category(db: None) -> MembershipCategory:
    return MembershipCategory.objects.create(code="regular", name="Regular")


def take(text: str, now: datetime, name: str = "accounts.csv") -> AccountImport:
    return take_file(name=name, data=text.encode(), by="Test", now=now)


def issue(text: str, now: datetime, **more: bool) -> AccountImport:
    batch = take(text, now)
    start_import(public_id=batch.public_id, tells_members=more.get("tell", False), now=now)
    run_import(public_id=batch.public_id, clock_now=lambda: now)
    batch.refresh_from_db()
    return batch


def verdicts(batch: AccountImport) -> list[str]:
    return list(batch.rows.order_by("number").values_list("verdict", flat=True))


@pytest.fixture(autouse=True)
def not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run the work themselves; elsewhere the worker does."""
    monkeypatch.setattr(batches, "enqueue", lambda *_, **__: None)


class TestReadTable:
    def test_reads_csv_as_spreadsheets_save_it(self) -> None:
        assert read_table("a.csv", "﻿a;b\r\n1;Peña\r\n;\r\n".encode()) == [["a", "b"], ["1", "Peña"]]
        assert read_table("a.csv", "a,b\n1,Peña\n".encode("cp1252"))[1] == ["1", "Peña"]

    def test_reads_the_first_sheet_of_a_workbook(self) -> None:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(["account_no", "born", "may", "n"])
        book.active.append(["A-1", date(1980, 5, 17), True, 12.0])
        file = io.BytesIO()
        book.save(file)
        assert read_table("a.xlsx", file.getvalue())[1] == ["A-1", "1980-05-17", "yes", "12"]

    @pytest.mark.parametrize(
        ("name", "data", "says"),
        [
            ("a.xlsx", b"PK\x03\x04nonsense", "no XLSX"),
            ("a.xlsx", b"", "no XLSX"),
            ("a.csv", b"a\0b", "no text"),
            ("a.csv", b"x" * (sheets.MAX_BYTES + 1), "larger than 8 MB"),
            ("a.csv", b"x," * 50, "40 columns"),
            ("a.csv", b"x" * 500, "400 characters"),
            ("a.csv", b"x\n" * 20_002, "20,000 rows"),
        ],
    )
    def test_refuses_with_what_to_do(self, name: str, data: bytes, says: str) -> None:
        with pytest.raises(SheetError, match=says):
            read_table(name, data)

    def test_refuses_a_bomb_before_it_is_unpacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("xl/worksheets/sheet1.xml", b"0" * (sheets.MAX_UNPACKED + 1))
        assert len(file.getvalue()) < 200_000
        with pytest.raises(SheetError, match="unpacks to too much"):
            read_table("a.xlsx", file.getvalue())


class TestPolicies:
    def test_headings_are_known_in_any_usual_spelling(self) -> None:
        found, unknown = columns_of(["ACCOUNT NO.", "Surname", "first-name", "Shoe size", "Last name", ""])
        assert found == {"account_no": 0, "last_name": 1, "first_name": 2}
        assert unknown == ["Shoe size"]

    def test_numbers_by_the_clubs_pattern(self) -> None:
        assert next_number(prefix="M", width=5, taken=41) == "M00042"
        assert next_number(prefix="M", width=2, taken=199) == "M200"
        assert household_number("M-1", suffixes="AB", taken=frozenset({"M1A"})) == "M-1B"
        assert household_number("M-1", suffixes="A", taken=frozenset({"M1A"})) is None

    def test_a_dependent_books_only_when_staff_say_so(self) -> None:
        rights = [usual_rights(one) for one in ("principal", "spouse", "dependent")]
        assert [one.can_book for one in rights] == [True, True, False]
        assert [one.can_view_statements for one in rights] == [True, False, False]

    def test_what_is_left_open_is_none(self) -> None:
        row, reasons = read_row(
            {"account_no": "A", "category": "c", "first_name": "D", "last_name": "E"}, region="PH"
        )
        assert reasons == []
        assert row is not None
        assert (row.relation, row.email, row.can_book, row.standing) == ("principal", None, None, None)


class TestTakeFile:
    def test_judges_and_changes_nothing(self, category: MembershipCategory, now: datetime) -> None:
        batch = take(GOOD, now)
        assert (batch.state, batch.total) == ("CHECKED", 4)
        assert verdicts(batch) == ["new"] * 4
        assert not Member.objects.exists()

    def test_refuses_each_broken_row_with_every_reason(
        self, category: MembershipCategory, now: datetime
    ) -> None:
        batch = take(BROKEN, now)
        found = {
            row.number: [field for field, _reason in row.reasons] for row in batch.rows.order_by("number")
        }
        assert found == {
            2: [],
            3: ["category"],
            4: ["member_no"],
            5: ["account_no", "last_name"],
            6: ["relation", "email", "mobile", "birth_date", "can_book"],
            7: ["relation"],
        }

    def test_compares_with_what_the_club_has(
        self, category: MembershipCategory, owner: Member, spouse: Member, now: datetime
    ) -> None:
        account, code = owner.membership.account_no, owner.membership.category.code
        assert owner.user is not None
        text = f"""account_no,category,member_no,relation,first_name,last_name,email
{account},{code},{owner.member_no.lower()},principal,Test,Owner,
{account},{code},{spouse.member_no},spouse,{spouse.first_name},Changed,
{account},{code},,principal,Demo,Second,
NEW-1,{code},{owner.member_no}9,principal,Demo,Taken,{owner.user.email}
NEW-2,{code},{spouse.member_no},principal,Demo,Moved,
"""
        batch = take(text, now)
        assert verdicts(batch) == ["same", "changed", "refused", "refused", "refused"]

    @pytest.mark.parametrize(
        ("data", "code"), [("", "empty"), ("a,b\n1,2\n", "columns"), (f"{HEADING}\n", "empty")]
    )
    def test_refuses_what_is_no_file_of_accounts(self, db: None, now: datetime, data: str, code: str) -> None:
        with pytest.raises(InvalidError) as caught:
            take(data, now)
        assert [one for one, _detail in caught.value.errors["file"]] == [code]


class TestRunImport:
    def test_issues_accounts_without_a_password(self, category: MembershipCategory, now: datetime) -> None:
        batch = issue(GOOD, now)
        assert (batch.state, batch.done) == ("DONE", 4)
        alpha = Member.objects.get(member_no="M-100")
        assert alpha.user is not None
        assert (alpha.user.email, str(alpha.user.mobile)) == ("alpha@example.com", "+639171234567")
        assert alpha.user.awaits_activation
        assert (alpha.can_book, alpha.can_view_statements) == (True, True)
        assert Member.objects.get(last_name="Gamma").member_no == "M00101"
        delta = Member.objects.get(last_name="Delta")
        assert (delta.member_no, delta.relation, delta.can_book) == ("M00101A", "dependent", False)
        assert not Notification.objects.exists()

    def test_the_same_file_again_changes_nothing(self, category: MembershipCategory, now: datetime) -> None:
        issue(GOOD, now)
        before = list(User.objects.order_by("pk").values()), list(Member.objects.order_by("pk").values())
        again = take(GOOD, now)
        assert verdicts(again) == ["same"] * 4
        issue(GOOD, now)
        assert before == (
            list(User.objects.order_by("pk").values()),
            list(Member.objects.order_by("pk").values()),
        )

    def test_the_good_rows_go_in_beside_the_broken_ones(
        self, category: MembershipCategory, now: datetime
    ) -> None:
        batch = issue(BROKEN, now)
        assert Member.objects.get().member_no == "M-200"
        assert verdicts(batch).count("refused") == 5

    def test_what_was_taken_since_the_preview_is_refused_then(
        self, category: MembershipCategory, now: datetime
    ) -> None:
        batch = take(GOOD, now)
        issue(f"{HEADING}\nZ-1,regular,Z-1,,Demo,Quick,,alpha@example.com,,\n", now)
        start_import(public_id=batch.public_id, tells_members=False, now=now)
        run_import(public_id=batch.public_id, clock_now=lambda: now)
        refused = {row.number: row.reasons[0][0] for row in batch.rows.filter(verdict="refused")}
        # Whoever hangs on a refused principal cannot go in either; the other household does.
        assert refused[2] == "email"
        assert Member.objects.filter(last_name__in=["Gamma", "Delta"]).count() == 2

    def test_tells_new_members_once_if_asked(self, category: MembershipCategory, now: datetime) -> None:
        issue(GOOD, now, tell=True)
        issue(GOOD, now, tell=True)
        told = Notification.objects.filter(kind="account_issued")
        assert {row.user.email for row in told} == {"alpha@example.com", "gamma@example.com"}

    def test_starts_once(self, category: MembershipCategory, now: datetime) -> None:
        batch = issue(GOOD, now)
        with pytest.raises(WrongStateError):
            start_import(public_id=batch.public_id, tells_members=False, now=now)

    def test_another_carries_on_when_a_worker_dies(
        self, category: MembershipCategory, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = take(GOOD, now)
        start_import(public_id=batch.public_id, tells_members=False, now=now)
        real = batches._apply
        seen: list[int] = []

        def die_at_the_third(*args: Any) -> None:
            if len(seen) == 2:
                raise KeyboardInterrupt
            seen.append(args[1].number)
            real(*args)

        monkeypatch.setattr(batches, "_apply", die_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            run_import(public_id=batch.public_id, clock_now=lambda: now)
        monkeypatch.setattr(batches, "_apply", real)
        assert Member.objects.count() == 2
        assert not run_import(public_id=batch.public_id, clock_now=lambda: now), "its lease still holds"
        later = now + batches.LEASE
        assert find_unattended(now=later) == [batch.public_id]
        assert run_import(public_id=batch.public_id, clock_now=lambda: later)
        assert Member.objects.count() == 4

    def test_a_task_ends_in_time_and_the_next_goes_on(
        self, category: MembershipCategory, travel: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "STEP", 1)
        monkeypatch.setattr(batches, "SECONDS_A_TASK", -1.0)
        batch = take(GOOD, now)
        start_import(public_id=batch.public_id, tells_members=False, now=now)
        assert [tasks.run_import(str(batch.public_id)) for _ in range(4)] == [False, False, False, True]
        assert tasks.run_imports() == 0


class TestAccounts:
    def test_issued_anew_it_has_no_password_no_device_and_no_session(
        self, user: User, trusted: Device, now: datetime
    ) -> None:
        open_session(user=user, device=trusted, now=now)
        reissue_account(user=user, now=now)
        user.refresh_from_db()
        trusted.refresh_from_db()
        assert user.awaits_activation
        assert (trusted.revoked_at, trusted.token_hash) == (now, "")
        assert Session.objects.get().ended_at == now

    def test_a_closed_one_stays_closed_and_a_suspended_one_does_not(self, user: User, now: datetime) -> None:
        deactivate_user(user=user, now=now)
        reactivate_user(user=user)
        close_account(user=user, now=now)
        close_account(user=user, now=now + timedelta(days=1))
        assert (user.is_active, user.closed_at) == (False, now)
        with pytest.raises(AccountClosedError):
            reactivate_user(user=user)
        with pytest.raises(AccountClosedError):
            reissue_account(user=user, now=now)


class TestSlips:
    def test_are_for_who_waits_and_hold_no_secret(
        self, category: MembershipCategory, user: User, now: datetime
    ) -> None:
        issue(GOOD, now)
        members = list(Member.objects.select_related("user").order_by("pk"))
        pdf = make_slips(members)
        assert pdf.startswith(b"%PDF-")
        assert pdf.count(b"/Type /Page\n") == 1  # four of five: one has a password
        assert b"4567" not in pdf
        assert make_slips([members[0]]) != pdf

    def test_say_where_the_code_goes_and_where_to_activate(
        self, category: MembershipCategory, now: datetime, settings: Any
    ) -> None:
        issue(GOOD, now)
        alpha, beta = Member.objects.get(last_name="Alpha"), Member.objects.get(last_name="Beta")
        assert (where_to(alpha), where_to(beta)) == ("a…a@example.com", "")
        settings.ACTIVATION_LINK = "https://app.example.com/go"
        assert activation_link(alpha) == "https://app.example.com/go?member=M-100"

    def test_print_any_name(self, owner: Member) -> None:
        assert owner.user is not None
        owner.user.set_unusable_password()
        owner.first_name = "Peña 李"
        assert make_slips([owner]).startswith(b"%PDF-")


class TestCommand:
    def test_says_what_it_would_do_and_changes_nothing(
        self, category: MembershipCategory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "accounts.csv"
        file.write_text(GOOD)
        call_command("issue_accounts", str(file), "--dry-run")
        assert "4 new, 0 changed, 0 same, 0 refused. Nothing was changed." in capsys.readouterr().out
        assert not Member.objects.exists()
        assert not AccountImport.objects.exists()

    def test_issues_prints_slips_and_fails_where_a_row_was_refused(
        self, category: MembershipCategory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file, slips = tmp_path / "accounts.csv", tmp_path / "slips.pdf"
        file.write_text(BROKEN)
        with pytest.raises(CommandError, match="5 rows were refused"):
            call_command("issue_accounts", str(file), "--slips", str(slips))
        said = capsys.readouterr().out
        assert "row 3: category: There is no category nothing." in said
        assert slips.read_bytes().startswith(b"%PDF-")

    def test_says_what_it_cannot_read(self, db: None, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("issue_accounts", str(tmp_path / "none.csv"))
        (tmp_path / "bad.csv").write_text("a,b\n1,2")
        with pytest.raises(CommandError, match="columns are missing"):
            call_command("issue_accounts", str(tmp_path / "bad.csv"))


class TestAdmin:
    @pytest.fixture
    def browser(self, make_staff: Callable[[str], User]) -> Client:
        browser = Client()
        browser.force_login(make_staff("Membership"))
        return browser

    def upload(self, browser: Client, text: str) -> Any:
        file = SimpleUploadedFile("accounts.csv", text.encode())
        return browser.post(reverse("admin:accounts_accountimport_add"), {"file": file}, follow=True)

    def test_shows_what_a_file_would_do_issues_it_and_prints_slips(
        self, browser: Client, category: MembershipCategory, travel: Any, now: datetime
    ) -> None:
        shown = self.upload(browser, BROKEN)
        assert "This is what the file would do" in shown.content.decode()
        assert "new (1)" in shown.content.decode()
        batch = AccountImport.objects.get()
        refused = browser.get(
            reverse("admin:accounts_accountimport_change", args=[batch.pk]), {"verdict": "refused"}
        )
        assert "There is no category nothing" in refused.content.decode()
        started = browser.post(reverse("admin:accounts_accountimport_start", args=[batch.pk]), {"tell": "on"})
        assert started.status_code == 302
        running = browser.get(reverse("admin:accounts_accountimport_change", args=[batch.pk]))
        assert running["Refresh"] == "2"
        assert "<progress" in running.content.decode()
        run_import(public_id=batch.public_id, clock_now=lambda: now)
        done = browser.get(reverse("admin:accounts_accountimport_change", args=[batch.pk]))
        assert "Refresh" not in done
        assert "M-200" in done.content.decode()
        slips = browser.get(reverse("admin:accounts_accountimport_slips", args=[batch.pk]))
        assert slips["Content-Type"] == "application/pdf"
        assert "no-store" in slips["Cache-Control"]
        rows = browser.get(reverse("admin:accounts_accountimport_refused", args=[batch.pk]))
        assert rows.getvalue().decode("utf-8-sig").count("\n") == 6

    def test_says_on_the_form_what_is_wrong_with_a_file(self, browser: Client, db: None) -> None:
        assert "These columns are missing" in self.upload(browser, "a,b\n1,2\n").content.decode()
        assert (
            "This field is required"
            in browser.post(reverse("admin:accounts_accountimport_add")).content.decode()
        )

    def test_a_cell_is_no_formula_in_the_file_of_refused_rows(
        self, browser: Client, category: MembershipCategory
    ) -> None:
        self.upload(browser, f"{HEADING}\nA-1,=HYPERLINK(1),M-1,,Demo,Formula,,,,\n")
        batch = AccountImport.objects.get()
        answer = browser.get(reverse("admin:accounts_accountimport_refused", args=[batch.pk]))
        text = answer.getvalue().decode()
        assert "'=HYPERLINK" in text

    def test_others_neither_see_nor_start_it(
        self, category: MembershipCategory, make_staff: Callable[[str], User], now: datetime
    ) -> None:
        batch = take(GOOD, now)
        auditor, desk = Client(), Client()
        auditor.force_login(make_staff("Auditor"))
        desk.force_login(make_staff("Front Desk"))
        page = reverse("admin:accounts_accountimport_change", args=[batch.pk])
        start = reverse("admin:accounts_accountimport_start", args=[batch.pk])
        assert auditor.get(page).status_code == 200
        assert auditor.post(start).status_code == 403
        assert [desk.get(page).status_code, desk.post(start).status_code] == [403, 403]
        assert auditor.get(reverse("admin:accounts_accountimport_change", args=[9999])).status_code == 404

    @pytest.mark.parametrize(
        ("action", "check"),
        [
            ("reissue", lambda user: user.awaits_activation),
            ("suspend", lambda user: not user.is_active and user.closed_at is None),
            ("close", lambda user: not user.is_active and user.closed_at is not None),
        ],
    )
    def test_accounts_are_changed_with_a_reason(
        self, browser: Client, owner: Member, user: User, action: str, check: Callable[[User], bool]
    ) -> None:
        url = reverse("admin:accounts_member_changelist")
        chosen = {"action": action, "_selected_action": [owner.pk]}
        assert owner.member_no in browser.post(url, chosen).content.decode()
        browser.post(url, chosen | {"confirmed": "1", "reason": "Asked at the desk."})
        user.refresh_from_db()
        assert check(user)
        browser.post(
            url, {"action": "open_again", "_selected_action": [owner.pk], "confirmed": "1", "reason": "x"}
        )
        user.refresh_from_db()
        assert user.is_active is (action != "close")

    def test_slips_of_chosen_members(self, browser: Client, owner: Member) -> None:
        url = reverse("admin:accounts_member_changelist")
        answer = browser.post(url, {"action": "slips", "_selected_action": [owner.pk]})
        assert answer["Content-Type"] == "application/pdf"


class TestRows:
    def test_a_row_is_kept_once(self, category: MembershipCategory, now: datetime) -> None:
        batch = take(GOOD, now)
        assert AccountImportRow.objects.filter(batch=batch).count() == 4
        assert str(batch.rows.first()).startswith("accounts.csv: ")
