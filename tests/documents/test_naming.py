from __future__ import annotations

from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Member
from bcc.core.errors import InvalidError
from documents.models import BatchKind
from documents.policies.naming import filled, told_apart, unknown_fields
from documents.services.naming import check_pattern, download_name, download_names
from tests.documents.papers import file_in_batch, make_batch, make_document, name_files

PDF = "application/pdf"
VALUES = {"period": "2026-05", "account_no": "T-1", "kind": "statement", "number": ""}


class TestFilled:
    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            ("SOA_{period}_{account_no}.pdf", "SOA_2026-05_T-1.pdf"),
            ("SOA_{period}_{account_no}", "SOA_2026-05_T-1.pdf"),
            ("SOA_{period}.PDF", "SOA_2026-05.PDF"),
            ("SOA_{period}.doc", "SOA_2026-05.pdf"),
            ("{number}_{period}.pdf", "2026-05.pdf"),
            ("OR {number}.pdf", "OR.pdf"),
            ("{number}", "document.pdf"),
            ("Estado {kind} № {account_no}", "Estado statement № T-1.pdf"),
            ("v1.2026 {account_no}", "v1.2026 T-1.pdf"),
        ],
    )
    def test_makes_a_name_of_a_pattern(self, pattern: str, name: str) -> None:
        assert filled(pattern, VALUES, media_type=PDF) == name

    @pytest.mark.parametrize(
        ("pattern", "unknown"),
        [("{period}", []), ("{name}", ["name"]), ("{}", [""]), ("{period", ["{"]), ("a}", ["}"])],
    )
    def test_knows_what_is_no_field(self, pattern: str, unknown: list[str]) -> None:
        assert unknown_fields(pattern) == unknown


class TestToldApart:
    def test_counts_those_that_are_equal_in_any_case(self) -> None:
        names = ["a.pdf", "A.pdf", "b", "a.pdf", "b", "a (2).pdf"]
        assert list(told_apart(iter(names))) == [
            "a.pdf", "A (2).pdf", "b", "a (3).pdf", "b (2)", "a (2) (2).pdf",
        ]  # fmt: skip


class TestCheckPattern:
    def test_names_what_is_unknown(self) -> None:
        check_pattern("SOA_{period}_{account_no}_{kind}_{number}.pdf")
        with pytest.raises(InvalidError) as refused:
            check_pattern("SOA_{month}.pdf")
        ((code, text),) = refused.value.errors["download_name"]
        assert code == "unknown_field"
        assert str(text) == "There is no {month}. Use {period}, {account_no}, {kind}, {number}."


@pytest.mark.django_db
class TestDownloadName:
    def test_is_by_the_rule_of_the_batch_that_filed_it(self, owner: Member, now: datetime) -> None:
        name_files(BatchKind.STATEMENT_PDF, "Merged {period}.pdf")
        name_files(BatchKind.BALANCES, "Rendered {period}.pdf")
        filed = make_document(owner.membership, "2026-05", now=now)
        file_in_batch(make_batch(BatchKind.STATEMENT_PDF, now=now), filed)
        rendered = make_document(owner.membership, "2026-04", now=now)
        assert download_name(filed) == "Merged 2026-05.pdf"
        assert download_name(rendered) == "Rendered 2026-04.pdf"

    def test_without_a_rule_tells_kinds_and_numbers_apart(self, owner: Member, now: datetime) -> None:
        account_no = owner.membership.account_no
        for kind, number, name in (
            ("statement", "", f"SOA_2026-05_{account_no}.pdf"),
            ("receipt", "77/A", f"OR_2026-05_{account_no}_77_A.pdf"),
            ("notice", "", f"Notice_2026-05_{account_no}.pdf"),
        ):
            document = make_document(owner.membership, "2026-05", now=now, kind=kind, number=number)
            assert download_name(document) == name

    def test_of_many_costs_two_queries(
        self, owner: Member, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        rows = [make_document(owner.membership, f"2026-0{month}", now=now) for month in range(1, 7)]
        with django_assert_num_queries(2):
            assert len(set(download_names(rows).values())) == 6
