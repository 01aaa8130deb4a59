"""The back office of quotas, prime time, strikes and rates."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import MembershipCategory
from bcc.core.errors import BusyError
from facilities.models import (
    Facility,
    PrimeTime,
    QuotaRule,
    StrikeRule,
)
from tests.facilities.backoffice import faults, page
from tests.factories import make_quota

pytestmark = pytest.mark.django_db


class TestQuotaRules:
    def body(self, **change: Any) -> dict[str, Any]:
        return {
            "name": "Two a week", "is_active": "on", "per": "household", "limit": "2", "measure": "count",
            "period": "week", "facility": "", "kind": "court", "prime_time_only": "on", "category": "",
        } | change  # fmt: skip

    def test_the_sentence_stands_in_the_list_and_on_the_form(self, editor: Client) -> None:
        sentence = "A household may have at most 2 bookings a week (court, prime time)."
        assert (
            "It is shown here once the rule is saved."
            in editor.get(page("quotarule", "add/")).content.decode()
        )

        assert editor.post(page("quotarule", "add/"), self.body()).status_code == 302

        rule = QuotaRule.objects.get()
        assert sentence in editor.get(page("quotarule")).content.decode()
        assert sentence in editor.get(page("quotarule", f"{rule.pk}/change/")).content.decode()

    def test_says_what_is_wrong(self, editor: Client, court: Facility) -> None:
        make_quota("Two a week")

        both = editor.post(page("quotarule", "add/"), self.body(facility=court.pk, name="Other"))
        twice = editor.post(page("quotarule", "add/"), self.body())
        wrong = editor.post(page("quotarule", "add/"), self.body(name="Other", limit="-1", period=""))

        assert faults(both)["__all__"] == ["Choose a facility or a kind or neither, not both."]
        assert set(faults(twice)) == {"name"}
        assert set(faults(wrong)) == {"limit", "period"}
        assert QuotaRule.objects.count() == 1

    def test_the_list_says_for_whom_and_since_when(
        self, editor: Client, senior: MembershipCategory, court: Facility
    ) -> None:
        make_quota("Later", category=senior, valid_from=date(2026, 6, 2), facility=court)
        make_quota("Over", valid_until=date(2026, 5, 31))
        make_quota("Ending", valid_until=date(2026, 6, 1))
        make_quota("Always")
        text = editor.get(page("quotarule")).content.decode()

        for words in (
            "from 2 Jun 2026 on",
            "over since 31 May 2026",
            "until 1 Jun 2026",
            "always",
            "Court One",
        ):
            assert words in text, words
        for chosen, names in {
            "now": {"Ending", "Always"}, "later": {"Later"}, "over": {"Over"},
            "x": {"Later", "Over", "Ending", "Always"},
        }.items():  # fmt: skip
            found = editor.get(page("quotarule"), {"dates": chosen}).context["cl"].result_list
            assert {rule.name for rule in found} == names


class TestPrimeTime:
    def body(self, **change: Any) -> dict[str, Any]:
        return {
            "name": "Evenings", "facility": "", "kind": "court", "days": ["0", "1", "4"],
            "starts": "17:00", "ends": "00:00", "valid_from": "", "valid_until": "",
        } | change  # fmt: skip

    def test_makes_a_band_for_each_day_that_is_ticked(self, editor: Client) -> None:
        answer = editor.post(page("primetime", "add/"), self.body(), follow=True)

        assert "2 more days were added." in answer.content.decode()
        assert sorted(PrimeTime.objects.values_list("weekday", flat=True)) == [0, 1, 4]
        assert set(PrimeTime.objects.values_list("name", "kind")) == {("Evenings", "court")}
        assert "17:00–00:00" in answer.content.decode()

    def test_changes_one_of_them(self, editor: Client, court: Facility) -> None:
        editor.post(page("primetime", "add/"), self.body(days=["5"], kind="", facility=court.pk))
        band = PrimeTime.objects.get()
        assert "Court One" in editor.get(page("primetime")).content.decode()

        changed = editor.post(
            page("primetime", f"{band.pk}/change/"),
            self.body(weekday="6", kind="", facility=court.pk, ends="21:00"),
        )

        assert changed.status_code == 302, faults(changed)
        assert list(PrimeTime.objects.values_list("weekday", flat=True)) == [6]

    @pytest.mark.parametrize(
        ("change", "field", "told"),
        [
            ({"days": []}, "days", "This field is required."),
            ({"days": ["8"]}, "days", "8 is not one of the available choices"),
            ({"kind": ""}, "__all__", "Choose either a facility or a kind, not both."),
            ({"ends": "16:00"}, "ends", "It must be later than the start"),
            (
                {"valid_from": "2026-06-02", "valid_until": "2026-06-01"},
                "valid_until",
                "It must not be before",
            ),
        ],
        ids=["no day", "no such day", "no scope", "backward", "dates"],
    )
    def test_says_what_is_wrong(self, editor: Client, change: dict[str, Any], field: str, told: str) -> None:
        refused = editor.post(page("primetime", "add/"), self.body(**change))

        assert told in str(faults(refused)[field])
        assert not PrimeTime.objects.exists()

    def test_none_of_the_days_is_saved_if_the_database_is_busy(
        self, editor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(**_: Any) -> None:
            raise BusyError

        monkeypatch.setattr(PrimeTime.objects, "create", busy)  # the second day
        refused = editor.post(page("primetime", "add/"), self.body())

        assert faults(refused)["__all__"] == ["The service is busy. Try again in a moment."]
        assert not PrimeTime.objects.exists()


class TestStrikeRules:
    BODY = {"name": "Three", "is_active": "on", "strikes": "3", "within_days": "90", "hold_days": "14"}

    def test_reads_as_a_sentence(self, editor: Client) -> None:
        assert editor.post(page("strikerule", "add/"), self.BODY).status_code == 302

        sentence = "3 strikes within 90 days stop a member from booking for 14 days."
        rule = StrikeRule.objects.get()
        assert sentence in editor.get(page("strikerule")).content.decode()
        assert sentence in editor.get(page("strikerule", f"{rule.pk}/change/")).content.decode()

    def test_refuses_one_that_would_do_nothing(self, editor: Client) -> None:
        nothing = dict.fromkeys(("strikes", "within_days", "hold_days"), "0")

        refused = editor.post(page("strikerule", "add/"), self.BODY | nothing)

        assert set(faults(refused)) == {"strikes", "within_days", "hold_days"}


class TestRates:
    def body(self, court: Facility, **change: Any) -> dict[str, Any]:
        return {
            "facility": court.pk, "amount": "1250.5", "unit": "slot", "guest_class": "member",
            "category": "", "valid_from": "", "valid_until": "",
        } | change  # fmt: skip

    def test_the_list_shows_the_price_and_who_pays_it(
        self, editor: Client, court: Facility, senior: MembershipCategory
    ) -> None:
        assert editor.post(page("rate", "add/"), self.body(court)).status_code == 302
        more = self.body(court, category=senior.pk, prime_time_only="on", guest_class="sponsored")
        assert editor.post(page("rate", "add/"), more).status_code == 302

        text = editor.get(page("rate")).content.decode()
        for words in (
            "PHP 1,250.50 a slot",
            "sponsored guests",
            ">Senior<",
            ">all<",
            "prime time",
            "any time",
        ):
            assert words in text, words

    def test_refuses_a_second_price_for_the_same_day(self, editor: Client, court: Facility) -> None:
        editor.post(page("rate", "add/"), self.body(court, valid_until="2026-06-30"))

        clash = editor.post(page("rate", "add/"), self.body(court, valid_from="2026-06-30"))
        after = editor.post(page("rate", "add/"), self.body(court, valid_from="2026-07-01"))

        assert "Change the dates of one of the two." in str(faults(clash)["__all__"])
        assert after.status_code == 302

    def test_says_what_is_wrong(self, editor: Client, court: Facility) -> None:
        refused = editor.post(page("rate", "add/"), self.body(court, facility="", amount="-1"))

        assert set(faults(refused)) == {"facility", "amount"}
