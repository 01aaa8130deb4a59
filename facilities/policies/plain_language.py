"""What a policy and its quotas say, in sentences that a member reads.

Pure: terms in, texts in the active language out. Only what holds is said; each sentence stands for
itself, so that it can be shown alone or under the heading of its topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Final, Literal, get_args

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from facilities.policies.terms import Quota, Terms

Topic = Literal["window", "length", "party", "confirmation", "cancellation", "attendance", "other", "quota"]
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)

HOUR: Final = 60
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Sentence:
    topic: Topic
    text: str


@dataclass(frozen=True, slots=True)
class Stay:
    """The wall times of a night: in from ``check_in`` on, out until ``check_out``."""

    check_in: time
    check_out: time


def read_terms(terms: Terms, *, currency: str, stay: Stay | None = None) -> list[Sentence]:
    """The sentences of ``terms``, in the order in which a member meets the rules.

    ``stay`` is given for what is booked by the night. ``currency`` is an ISO 4217 code.
    """
    texts: list[tuple[Topic, Iterable[str]]] = [
        ("window", _window(terms)),
        ("length", _length(terms) if stay is None else _nights(terms, stay)),
        ("party", _party(terms)),
        ("confirmation", _confirmation(terms)),
        ("cancellation", _cancellation(terms, currency)),
        ("attendance", _attendance(terms)),
        ("other", _other(terms)),
    ]
    return [Sentence(topic, text) for topic, sentences in texts for text in sentences]


def read_quota(quota: Quota) -> Sentence:
    """“A household may have at most 2 bookings a week (Tennis, prime time).”"""
    amounts = {
        "count": ngettext("%(n)d booking", "%(n)d bookings", quota.limit),
        "minutes": "%(duration)s",
        "nights": ngettext("%(n)d night", "%(n)d nights", quota.limit),
        "guests": ngettext("%(n)d guest", "%(n)d guests", quota.limit),
    }
    amount = amounts[quota.measure] % {"n": quota.limit, "duration": duration(quota.limit)}
    within = {
        "day": _("%(amount)s a day"),
        "week": _("%(amount)s a week"),
        "month": _("%(amount)s a month"),
        "year": _("%(amount)s a year"),
        "outstanding": _("%(amount)s outstanding"),
        "concurrent": _("%(amount)s at the same time"),
    }[quota.period] % {"amount": amount}
    scopes = [scope for scope in (quota.scope, _("prime time") if quota.prime_time_only else "") if scope]
    if scopes:
        within = _("%(amount)s (%(scope)s)") % {"amount": within, "scope": ", ".join(scopes)}
    if quota.per == "household":
        return Sentence("quota", _("A household may have at most %(amount)s.") % {"amount": within})
    return Sentence("quota", _("A member may have at most %(amount)s.") % {"amount": within})


def read_strikes(*, strikes: int, within_days: int, hold_days: int) -> str:
    """“3 strikes within 90 days stop a member from booking for 14 days.”"""
    return ngettext(
        "%(n)d strike within %(days)s stops a member from booking for %(hold)s.",
        "%(n)d strikes within %(days)s stop a member from booking for %(hold)s.",
        strikes,
    ) % {"n": strikes, "days": duration(within_days * DAY), "hold": duration(hold_days * DAY)}


def duration(minutes: int) -> str:
    """Whole minutes as “3 days”, “1 hour 30 minutes”; the parts that are nothing are left out."""
    days, rest = divmod(minutes, DAY)
    hours, rest = divmod(rest, HOUR)
    parts = []
    if days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if rest or not parts:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", rest) % {"n": rest})
    return " ".join(parts)


def money(amount: Decimal, currency: str) -> str:
    """“PHP 1,250.00”."""
    return f"{currency} {amount:,.2f}"


def _clock(at: time) -> str:
    return f"{at:%H:%M}"


def _window(terms: Terms) -> Iterator[str]:
    release = _clock(terms.release_time)
    if terms.open_days_ahead:
        yield ngettext(
            "You may book up to %(days)d day ahead; a day opens at %(time)s.",
            "You may book up to %(days)d days ahead; a day opens at %(time)s.",
            terms.open_days_ahead,
        ) % {"days": terms.open_days_ahead, "time": release}
    else:
        yield _("You may book for the same day only, from %(time)s on.") % {"time": release}
    if terms.min_notice_minutes:
        yield _("Book at least %(duration)s before the start.") % {
            "duration": duration(terms.min_notice_minutes)
        }
    if terms.min_notice_days:
        yield ngettext(
            "Book at the latest on the day before.",
            "Book at the latest %(days)d days before the date.",
            terms.min_notice_days,
        ) % {"days": terms.min_notice_days}


def _length(terms: Terms) -> Iterator[str]:
    shortest = duration(terms.min_slots * terms.slot_minutes)
    if terms.min_slots == terms.max_slots:
        yield _("A booking takes %(duration)s.") % {"duration": shortest}
    else:
        yield _("A booking takes from %(shortest)s to %(longest)s, in steps of %(step)s.") % {
            "shortest": shortest,
            "longest": duration(terms.max_slots * terms.slot_minutes),
            "step": duration(terms.slot_minutes),
        }
    if terms.buffer_before_minutes:
        yield _("It is kept free for %(duration)s before a booking.") % {
            "duration": duration(terms.buffer_before_minutes)
        }
    if terms.buffer_after_minutes:
        yield _("It is kept free for %(duration)s after a booking.") % {
            "duration": duration(terms.buffer_after_minutes)
        }


def _nights(terms: Terms, stay: Stay) -> Iterator[str]:
    if terms.min_slots == terms.max_slots:
        yield ngettext("A stay is %(n)d night.", "A stay is %(n)d nights.", terms.min_slots) % {
            "n": terms.min_slots
        }
    else:
        yield _("A stay is from %(fewest)d to %(most)d nights.") % {
            "fewest": terms.min_slots,
            "most": terms.max_slots,
        }
    yield _("Check-in is from %(check_in)s, check-out until %(check_out)s.") % {
        "check_in": _clock(stay.check_in),
        "check_out": _clock(stay.check_out),
    }


def _party(terms: Terms) -> Iterator[str]:
    if terms.party_min == terms.party_max:
        yield ngettext(
            "A booking is for %(n)d person.", "A booking is for %(n)d people.", terms.party_max
        ) % {"n": terms.party_max}
    else:
        yield _("A booking is for %(fewest)d to %(most)d people.") % {
            "fewest": terms.party_min,
            "most": terms.party_max,
        }
    if terms.guests_max == 0:
        yield _("Guests cannot be brought.")
        return
    if terms.guests_max is not None:
        yield ngettext(
            "You may bring up to %(n)d guest.", "You may bring up to %(n)d guests.", terms.guests_max
        ) % {"n": terms.guests_max}
    if terms.guest_names_required:
        yield _("Every guest must be named.")
    if terms.same_guest_limit is not None:
        yield _("The same guest may come %(times)s within %(days)s.") % {
            "times": _times(terms.same_guest_limit),
            "days": duration(terms.same_guest_days * DAY),
        }


def _confirmation(terms: Terms) -> Iterator[str]:
    if terms.hold_minutes is not None:
        yield _(
            "The time that you pick is held for you for %(duration)s; confirm it before that is over."
        ) % {"duration": duration(terms.hold_minutes)}
    if terms.approval_required:
        yield _("The club approves each booking, and answers within %(duration)s.") % {
            "duration": duration(terms.approval_sla_minutes)
        }
    within, before = terms.confirm_within_minutes, terms.confirm_before_start_minutes
    if within is not None and before is not None:
        yield _(
            "Confirm your booking within %(within)s, and at the latest %(before)s before the start; "
            "otherwise it expires."
        ) % {"within": duration(within), "before": duration(before)}
    elif within is not None:
        yield _("Confirm your booking within %(within)s; otherwise it expires.") % {
            "within": duration(within)
        }
    elif before is not None:
        yield _("Confirm your booking at the latest %(before)s before the start; otherwise it expires.") % {
            "before": duration(before)
        }
    if terms.expiry_grace_minutes:
        yield _("After a deadline it is still kept for %(duration)s.") % {
            "duration": duration(terms.expiry_grace_minutes)
        }
    if terms.reminder_before_deadline_minutes is not None:
        yield _("You are reminded %(duration)s before a deadline.") % {
            "duration": duration(terms.reminder_before_deadline_minutes)
        }
    if terms.reminder_before_start_minutes is not None:
        yield _("You are reminded %(duration)s before the start.") % {
            "duration": duration(terms.reminder_before_start_minutes)
        }


def _cancellation(terms: Terms, currency: str) -> Iterator[str]:
    if terms.cancellation_cutoff_minutes:
        yield _("You may cancel without cost up to %(duration)s before the start.") % {
            "duration": duration(terms.cancellation_cutoff_minutes)
        }
    else:
        yield _("You may cancel without cost until the start.")
    match terms.late_cancel:
        case "deny":
            yield _("After that you cannot cancel it yourself; ask the club.")
        case "strike":
            yield _("A later cancellation costs a strike.")
        case "charge":
            yield _("A later cancellation is charged %(amount)s.") % {
                "amount": money(terms.late_cancel_charge, currency)
            }
    if terms.weather_exempt:
        yield _("Bad weather waives what a late cancellation costs.")
    if terms.reschedule_limit:
        yield _("A booking may be moved to another time %(times)s.") % {
            "times": _times(terms.reschedule_limit)
        }
    else:
        yield _("A booking cannot be moved to another time; cancel it and book again.")
    if terms.rebook_lockout_minutes:
        yield _("After a cancellation you cannot book here again for %(duration)s.") % {
            "duration": duration(terms.rebook_lockout_minutes)
        }


def _attendance(terms: Terms) -> Iterator[str]:
    if terms.no_show_after_minutes is None:
        return
    if terms.check_in_from_minutes:
        yield _("Check in from %(from)s before the start on.") % {
            "from": duration(terms.check_in_from_minutes)
        }
    else:
        yield _("Check in from the start on.")
    yield _("Who has not checked in %(duration)s after the start is a no-show.") % {
        "duration": duration(terms.no_show_after_minutes)
    }


def _other(terms: Terms) -> Iterator[str]:
    if terms.requires_good_standing:
        yield _("Your account must be in good standing.")
    match terms.on_bad_standing:
        case "keep":
            pass  # what changes nothing is not said
        case "flag":
            yield _("If your account falls out of good standing, the club looks at each coming booking.")
        case "cancel":
            yield _("If your account falls out of good standing, the club cancels your coming bookings.")
    if terms.min_age is not None:
        yield _("You must be %(age)d or older.") % {"age": terms.min_age}
    if terms.waitlist_max:
        yield ngettext(
            "If it is taken you may join the waitlist, of %(n)d place; an offer is good for %(duration)s.",
            "If it is taken you may join the waitlist, of %(n)d places; an offer is good for %(duration)s.",
            terms.waitlist_max,
        ) % {"n": terms.waitlist_max, "duration": duration(terms.waitlist_offer_minutes)}
    if terms.recurrence_allowed:
        yield _("A booking may be repeated every week.")


def _times(count: int) -> str:
    return ngettext("once", "%(n)d times", count) % {"n": count}
