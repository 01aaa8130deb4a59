"""The sentences that members read: each says what holds, and nothing that does not."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.policies.plain_language import (
    TOPICS,
    Stay,
    duration,
    money,
    read_quota,
    read_strikes,
    read_terms,
)
from facilities.policies.terms import Quota, Terms

USUAL = Terms()
STAY = Stay(check_in=time(14), check_out=time(12))


def texts(stay: Stay | None = None, **change: Any) -> list[str]:
    return [one.text for one in read_terms(replace(USUAL, **change), currency="PHP", stay=stay)]


class TestReadTerms:
    def test_of_the_usual_terms(self) -> None:
        assert texts() == [
            "You may book up to 7 days ahead; a day opens at 07:00.",
            "A booking takes 1 hour.",
            "A booking is for 1 to 4 people.",
            "You may cancel without cost until the start.",
            "After that you cannot cancel it yourself; ask the club.",
            "A booking may be moved to another time 2 times.",
            "Your account must be in good standing.",
        ]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"open_days_ahead": 1}, "You may book up to 1 day ahead; a day opens at 07:00."),
            ({"open_days_ahead": 0, "release_time": time(6, 30)},
             "You may book for the same day only, from 06:30 on."),
            ({"min_notice_minutes": 90}, "Book at least 1 hour 30 minutes before the start."),
            ({"min_notice_days": 1}, "Book at the latest on the day before."),
            ({"min_notice_days": 3}, "Book at the latest 3 days before the date."),
            ({"min_slots": 2, "max_slots": 2}, "A booking takes 2 hours."),
            ({"max_slots": 3, "slot_minutes": 30},
             "A booking takes from 30 minutes to 1 hour 30 minutes, in steps of 30 minutes."),
            ({"buffer_before_minutes": 60}, "It is kept free for 1 hour before a booking."),
            ({"buffer_after_minutes": 15}, "It is kept free for 15 minutes after a booking."),
            ({"party_max": 1}, "A booking is for 1 person."),
            ({"party_min": 4}, "A booking is for 4 people."),
            ({"guests_max": 0}, "Guests cannot be brought."),
            ({"guests_max": 1}, "You may bring up to 1 guest."),
            ({"guests_max": 3}, "You may bring up to 3 guests."),
            ({"guest_names_required": True}, "Every guest must be named."),
            ({"same_guest_limit": 1}, "The same guest may come once within 30 days."),
            ({"same_guest_limit": 2, "same_guest_days": 7},
             "The same guest may come 2 times within 7 days."),
            ({"hold_minutes": 5},
             "The time that you pick is held for you for 5 minutes; confirm it before that is over."),
            ({"approval_required": True}, "The club approves each booking, and answers within 1 day."),
            ({"confirm_within_minutes": 1440}, "Confirm your booking within 1 day; otherwise it expires."),
            ({"confirm_before_start_minutes": 60},
             "Confirm your booking at the latest 1 hour before the start; otherwise it expires."),
            ({"confirm_within_minutes": 1440, "confirm_before_start_minutes": 60},
             ("Confirm your booking within 1 day, and at the latest 1 hour before the start; "
              "otherwise it expires.")),
            ({"expiry_grace_minutes": 5}, "After a deadline it is still kept for 5 minutes."),
            ({"reminder_before_deadline_minutes": 240}, "You are reminded 4 hours before a deadline."),
            ({"reminder_before_start_minutes": 120}, "You are reminded 2 hours before the start."),
            ({"cancellation_cutoff_minutes": 1440},
             "You may cancel without cost up to 1 day before the start."),
            ({"late_cancel": "strike"}, "A later cancellation costs a strike."),
            ({"late_cancel": "charge", "late_cancel_charge": Decimal(1500)},
             "A later cancellation is charged PHP 1,500.00."),
            ({"weather_exempt": True}, "Bad weather waives what a late cancellation costs."),
            ({"reschedule_limit": 1}, "A booking may be moved to another time once."),
            ({"reschedule_limit": 0},
             "A booking cannot be moved to another time; cancel it and book again."),
            ({"rebook_lockout_minutes": 120},
             "After a cancellation you cannot book here again for 2 hours."),
            ({"no_show_after_minutes": 15}, "Check in from 30 minutes before the start on."),
            ({"no_show_after_minutes": 15, "check_in_from_minutes": 0}, "Check in from the start on."),
            ({"no_show_after_minutes": 15},
             "Who has not checked in 15 minutes after the start is a no-show."),
            ({"on_bad_standing": "flag"},
             "If your account falls out of good standing, the club looks at each coming booking."),
            ({"on_bad_standing": "cancel"},
             "If your account falls out of good standing, the club cancels your coming bookings."),
            ({"min_age": 12}, "You must be 12 or older."),
            ({"waitlist_max": 1},
             "If it is taken you may join the waitlist, of 1 place; an offer is good for 30 minutes."),
            ({"waitlist_max": 5, "waitlist_offer_minutes": 60},
             "If it is taken you may join the waitlist, of 5 places; an offer is good for 1 hour."),
            ({"recurrence_allowed": True}, "A booking may be repeated every week."),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
    )  # fmt: skip
    def test_says_what_the_terms_say_and_only_then(self, change: dict[str, Any], said: str) -> None:
        assert said in texts(**change)
        assert said not in texts()

    def test_says_nothing_of_what_does_not_hold(self) -> None:
        assert "Your account must be in good standing." not in texts(requires_good_standing=False)
        assert not any(
            "guest must be named" in text for text in texts(guests_max=0, guest_names_required=True)
        )

    def test_counts_a_room_in_nights(self) -> None:
        assert "A stay is from 1 to 14 nights." in texts(STAY, max_slots=14)
        assert "A stay is 1 night." in texts(STAY)
        assert "A stay is 3 nights." in texts(STAY, min_slots=3, max_slots=3)
        assert "Check-in is from 14:00, check-out until 12:00." in texts(STAY)
        assert not any("hour" in text for text in texts(STAY))

    def test_keeps_the_order_of_the_topics(self) -> None:
        everything = replace(
            USUAL, hold_minutes=5, no_show_after_minutes=15, cancellation_cutoff_minutes=60, waitlist_max=1
        )
        topics = [one.topic for one in read_terms(everything, currency="PHP")]

        assert topics == sorted(topics, key=TOPICS.index)
        assert set(topics) == set(TOPICS) - {"quota"}

    # A field that changes no sentence is a rule that members are not told of.
    # For each: what makes it matter, and another value.
    NEEDS: dict[str, tuple[dict[str, Any], Any]] = {
        "open_days_ahead": ({}, 9),
        "release_time": ({}, time(8)),
        "min_notice_minutes": ({}, 30),
        "min_notice_days": ({}, 2),
        "slot_minutes": ({}, 30),
        "min_slots": ({"max_slots": 3}, 2),
        "max_slots": ({}, 2),
        "buffer_before_minutes": ({}, 15),
        "buffer_after_minutes": ({}, 15),
        "party_min": ({}, 2),
        "party_max": ({}, 6),
        "guests_max": ({}, 2),
        "guest_names_required": ({}, True),
        "same_guest_limit": ({}, 2),
        "same_guest_days": ({"same_guest_limit": 2}, 10),
        "hold_minutes": ({}, 5),
        "approval_required": ({}, True),
        "approval_sla_minutes": ({"approval_required": True}, 60),
        "confirm_within_minutes": ({}, 60),
        "confirm_before_start_minutes": ({}, 60),
        "reminder_before_deadline_minutes": ({}, 60),
        "reminder_before_start_minutes": ({}, 60),
        "expiry_grace_minutes": ({}, 5),
        "cancellation_cutoff_minutes": ({}, 60),
        "late_cancel": ({}, "strike"),
        "late_cancel_charge": ({"late_cancel": "charge"}, Decimal(5)),
        "reschedule_limit": ({}, 0),
        "check_in_from_minutes": ({"no_show_after_minutes": 15}, 60),
        "no_show_after_minutes": ({}, 15),
        "weather_exempt": ({}, True),
        "rebook_lockout_minutes": ({}, 60),
        "waitlist_max": ({}, 3),
        "waitlist_offer_minutes": ({"waitlist_max": 3}, 60),
        "requires_good_standing": ({}, False),
        "on_bad_standing": ({}, "cancel"),
        "min_age": ({}, 12),
        "recurrence_allowed": ({}, True),
    }

    @pytest.mark.parametrize("name", [field.name for field in fields(Terms)])
    def test_every_term_is_heard(self, name: str) -> None:
        needs, other = self.NEEDS[name]

        assert texts(**needs) != texts(**needs, **{name: other})

    @given(
        change=st.fixed_dictionaries(
            {},
            optional={
                "open_days_ahead": st.integers(0, 400),
                "min_slots": st.integers(1, 5),
                "slot_minutes": st.integers(5, 1440),
                "guests_max": st.none() | st.integers(0, 5),
                "hold_minutes": st.none() | st.integers(1, 60),
                "confirm_within_minutes": st.none() | st.integers(1, 10_000),
                "confirm_before_start_minutes": st.none() | st.integers(0, 10_000),
                "late_cancel": st.sampled_from(["deny", "strike", "charge"]),
                "reschedule_limit": st.integers(0, 9),
                "no_show_after_minutes": st.none() | st.integers(0, 120),
                "waitlist_max": st.integers(0, 9),
            },
        ),
        at_night=st.booleans(),
    )
    def test_every_sentence_stands_for_itself(self, change: dict[str, Any], at_night: bool) -> None:
        for text in texts(STAY if at_night else None, **change):
            assert text.endswith(".")
            assert text[0].isupper()
            assert "%" not in text
            assert "None" not in text


class TestReadQuota:
    @pytest.mark.parametrize(
        ("quota", "said"),
        [
            (Quota(measure="count", period="day", per="member", limit=1),
             "A member may have at most 1 booking a day."),
            (Quota(measure="count", period="week", per="household", limit=2, scope="Tennis",
                   prime_time_only=True),
             "A household may have at most 2 bookings a week (Tennis, prime time)."),
            (Quota(measure="minutes", period="month", per="member", limit=150),
             "A member may have at most 2 hours 30 minutes a month."),
            (Quota(measure="nights", period="year", per="household", limit=10, scope="guest room"),
             "A household may have at most 10 nights a year (guest room)."),
            (Quota(measure="guests", period="outstanding", per="member", limit=3),
             "A member may have at most 3 guests outstanding."),
            (Quota(measure="count", period="concurrent", per="member", limit=1, prime_time_only=True),
             "A member may have at most 1 booking at the same time (prime time)."),
        ],
        ids=["day", "week", "month", "year", "outstanding", "concurrent"],
    )  # fmt: skip
    def test_reads_as_a_sentence(self, quota: Quota, said: str) -> None:
        sentence = read_quota(quota)

        assert (sentence.topic, sentence.text) == ("quota", said)


class TestReadStrikes:
    def test_reads_as_a_sentence(self) -> None:
        many = read_strikes(strikes=3, within_days=90, hold_days=14)
        one = read_strikes(strikes=1, within_days=1, hold_days=1)

        assert many == "3 strikes within 90 days stop a member from booking for 14 days."
        assert one == "1 strike within 1 day stops a member from booking for 1 day."


class TestDuration:
    @pytest.mark.parametrize(
        ("minutes", "said"),
        [
            (0, "0 minutes"),
            (1, "1 minute"),
            (59, "59 minutes"),
            (60, "1 hour"),
            (61, "1 hour 1 minute"),
            (1440, "1 day"),
            (1500, "1 day 1 hour"),
            (4321, "3 days 1 minute"),
        ],
    )
    def test_leaves_out_what_is_nothing(self, minutes: int, said: str) -> None:
        assert duration(minutes) == said


class TestMoney:
    def test_groups_thousands_and_shows_cents(self) -> None:
        assert money(Decimal("1250.5"), "PHP") == "PHP 1,250.50"
        assert money(Decimal(0), "EUR") == "EUR 0.00"
