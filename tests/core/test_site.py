"""The index of the back office: by section, then what no section names."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format, get_format

from bcc.core.site import in_sections


def app(label: str, *names: str) -> dict[str, Any]:
    """An app as Django lists it."""
    pages = [{"object_name": name, "name": f"{name}s"} for name in names]
    return {"app_label": label, "name": label.title(), "app_url": f"/admin/{label}/", "models": pages}


ZOO = app("zoo", "Ape", "Bear", "Cat")
FARM = app("farm", "Cow")


def listed(sections: list[Any], *apps: dict[str, Any]) -> dict[str, list[str]]:
    return {
        one["name"]: [page["object_name"] for page in one["models"]] for one in in_sections(apps, sections)
    }


class TestInSections:
    def test_keeps_the_order_of_the_table(self) -> None:
        sections = [("b", "Big", ["farm.cow", "zoo.bear"]), ("s", "Small", ["zoo.cat", "zoo.ape"])]

        assert listed(sections, ZOO, FARM) == {"Big": ["Cow", "Bear"], "Small": ["Cat", "Ape"]}

    def test_what_no_section_names_stands_at_the_end_by_app(self) -> None:
        assert listed([("s", "Small", ["zoo.cat"])], ZOO, FARM) == {
            "Small": ["Cat"],
            "Zoo": ["Ape", "Bear"],
            "Farm": ["Cow"],
        }

    def test_a_name_goes_before_a_star_wherever_the_two_stand(self) -> None:
        sections = [("z", "All", ["zoo.*"]), ("b", "Big", ["zoo.bear"])]

        assert listed(sections, ZOO) == {"All": ["Ape", "Cat"], "Big": ["Bear"]}

    def test_a_section_without_a_page_is_left_out(self) -> None:
        assert listed([("e", "Empty", ["zoo.dodo", "sea.*"])], FARM) == {"Farm": ["Cow"]}

    def test_a_page_stands_in_one_place(self) -> None:
        sections = [("a", "A", ["zoo.ape", "zoo.ape", "zoo.*"]), ("b", "B", ["zoo.ape", "zoo.*"])]

        assert listed(sections, ZOO) == {"A": ["Ape", "Bear", "Cat"]}

    def test_a_section_links_to_no_page_of_an_app(self) -> None:
        (section,) = in_sections([FARM], [("f", "Fields", ["farm.*"])])

        assert "app_url" not in section
        assert section["app_label"] == "f"


class TestFormats:
    def test_are_the_same_for_everyone(self) -> None:
        assert date_format(date(2026, 6, 5)) == "5 Jun 2026"
        assert date_format(datetime(2026, 6, 5, 17, 30), "DATETIME_FORMAT") == "5 Jun 2026, 17:30"  # noqa: DTZ001 - wall time

    def test_the_week_begins_as_the_club_says(self, settings: Any) -> None:
        assert get_format("FIRST_DAY_OF_WEEK") == settings.FIRST_DAY_OF_WEEK == 1
