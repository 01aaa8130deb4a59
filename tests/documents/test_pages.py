from __future__ import annotations

import pytest

from documents.parsers.pages import KeyReader, PageGroup, PageRead, Region, group, stands_in

KNOWN = frozenset({"D0001", "D0002"})


def reader(label: str = "Account No.", known: frozenset[str] = frozenset()) -> KeyReader:
    return KeyReader(Region("head", 0, 0, 100, 20, label), known)


class TestFind:
    @pytest.mark.parametrize(
        "text",
        [
            "Account No. D-0001",
            "ACCOUNT NO.: D-0001",
            "Account\r\nNo. D-0001\r\nAlma Demo 0001",
            "Account No. D 0001",
            "Account No.\r\nD-0001",
            "Account No. #D-0001.",
        ],
    )
    def test_takes_the_number_behind_the_label(self, text: str) -> None:
        key, _text, method = reader().find(text)
        assert (key, method) == ("D0001", "label")

    def test_takes_a_number_of_nobody_too_behind_the_label(self) -> None:
        """Else its page would go on with the document before it."""
        assert reader(known=KNOWN).find("Account No. D-9999")[0] == "D9999"

    @pytest.mark.parametrize("text", ["", "Alma Demo 0001", "Account No.", "Account No. pending"])
    def test_finds_nothing_without_a_label_or_a_number(self, text: str) -> None:
        assert reader().find(text) == ("", "", "")

    def test_finds_a_known_number_that_stands_before_its_label(self) -> None:
        assert reader(known=KNOWN).find("D-0002\r\nAccount No.") == ("D0002", "D-0002", "known")

    def test_looks_for_known_numbers_alone_where_there_is_no_label(self) -> None:
        assert reader("", KNOWN).find("October 2026 CH-0017 D 0002") == ("D0002", "D 0002", "known")
        assert reader("", KNOWN).find("October 2026 CH-0017") == ("", "", "")

    def test_takes_any_number_where_nothing_is_known(self) -> None:
        assert reader("").find("Member 1001")[0] == "1001"


class TestStandsIn:
    def test_compares_whole_words(self) -> None:
        assert stands_in("D0001", "Account No. D 0001 Alma")
        assert not stands_in("D0001", "D-00011")


def page(number: int, key: str = "", sheet: int = 0, sheets: int = 0, *, has_text: bool = True) -> PageRead:
    return PageRead(number, key, key, "label" if key else "", "head" if key else "", sheet, sheets, has_text)


def joined(*pages: PageRead) -> list[tuple[int, int, str, str]]:
    def plain(one: PageGroup) -> tuple[int, int, str, str]:
        return one.first, one.last, one.key, one.why

    return [plain(one) for one in group(pages)]


class TestGroup:
    def test_joins_pages_without_a_number_to_the_one_before(self) -> None:
        assert joined(page(1, "A1"), page(2), page(3, "B2")) == [(1, 2, "A1", ""), (3, 3, "B2", "")]

    def test_joins_pages_that_repeat_the_number(self) -> None:
        assert joined(page(1, "A1"), page(2, "A1")) == [(1, 2, "A1", "")]

    def test_begins_anew_with_a_first_page_of_the_same_number(self) -> None:
        found = joined(page(1, "A1", 1, 1), page(2, "A1", 1, 1))
        assert found == [(1, 1, "A1", ""), (2, 2, "A1", "")]

    def test_gives_covers_to_nobody(self) -> None:
        assert joined(page(1), page(2), page(3, "A1")) == [
            (1, 1, "", "cover"),
            (2, 2, "", "cover"),
            (3, 3, "A1", ""),
        ]

    def test_gives_a_control_page_behind_a_counted_document_to_nobody(self) -> None:
        found = joined(page(1, "A1", 1, 2), page(2, "", 2, 2), page(3))
        assert found == [(1, 2, "A1", ""), (3, 3, "", "cover")]

    @pytest.mark.parametrize(("sheet", "sheets"), [(3, 3), (2, 4), (1, 3), (0, 0)])
    def test_joins_no_page_that_does_not_count_on(self, sheet: int, sheets: int) -> None:
        found = joined(page(1, "A1", 1, 3), page(2, "", sheet, sheets))
        assert found == [(1, 1, "A1", ""), (2, 2, "", "cover")]

    def test_joins_a_scan_to_nothing(self) -> None:
        found = joined(page(1, "A1"), page(2, has_text=False), page(3))
        assert found == [(1, 1, "A1", ""), (2, 2, "", "no_text"), (3, 3, "", "cover")]

    def test_never_joins_the_number_of_another(self) -> None:
        found = joined(page(1, "A1", 1, 2), page(2, "B2", 2, 2))
        assert found == [(1, 1, "A1", ""), (2, 2, "B2", "")]
