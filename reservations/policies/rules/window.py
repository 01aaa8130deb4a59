"""When one may book: not in the past, with notice, after the release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from bcc.core.errors import RuleFailure
from facilities.policies.hours import wall_edge
from reservations.policies.ask import Ask
from reservations.policies.rules.base import local_text
from reservations.policies.terms import Terms


class PastRule:
    code: ClassVar[str] = "in_the_past"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.interval.starts_at <= ask.now:
            yield RuleFailure(self.code, _("The time has passed. Choose a later one."))


class NoticeRule:
    """Enough minutes, and enough calendar days of the club, before the start. None asked: the past is
    another rule's."""

    code: ClassVar[str] = "too_short_notice"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        terms = ask.terms
        if terms.min_notice and ask.now + terms.min_notice > ask.interval.starts_at:
            minutes = int(terms.min_notice.total_seconds() // 60)
            yield RuleFailure(
                self.code,
                _("Book at least %(minutes)d minutes before the start. Choose a later time.")
                % {"minutes": minutes},
                limit=minutes,
                current=int((ask.interval.starts_at - ask.now).total_seconds() // 60),
            )
        days = (ask.starts_on - ask.now.astimezone(ask.zone).date()).days
        if terms.min_notice_days and days < terms.min_notice_days:
            yield RuleFailure(
                self.code,
                _("Book at least %(days)d days ahead. Choose a later date.")
                % {"days": terms.min_notice_days},
                limit=terms.min_notice_days,
                current=days,
            )


def asks_of_the_hour(terms: Terms, on: date, now: datetime, zone: ZoneInfo) -> datetime:
    """From here on neither PastRule nor NoticeRule refuses a start on ``on``: the hour need not be asked."""
    days = (on - now.astimezone(zone).date()).days
    if days < terms.min_notice_days:
        return datetime.max.replace(tzinfo=UTC)
    return now + max(terms.min_notice, timedelta(microseconds=1))


class ReleaseRule:
    """A day opens ``open_days_ahead`` days before it, at the release time."""

    code: ClassVar[str] = "not_yet_released"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        released_at = release_of(ask)
        if ask.now < released_at:
            yield RuleFailure(
                self.code,
                _("This day opens for booking on %(at)s. Try again then.")
                % {"at": local_text(released_at, ask.zone)},
                limit=ask.terms.open_days_ahead,
                current=(ask.starts_on - ask.now.astimezone(ask.zone).date()).days,
                retry_at=released_at,
            )


def release_of(ask: Ask) -> datetime:
    """The instant at which the day of the wish opens; a skipped wall time opens with the clock change."""
    on = ask.starts_on - timedelta(days=ask.terms.open_days_ahead)
    return wall_edge(on, ask.terms.release_time, ask.zone)


class RescheduleRule:
    code: ClassVar[str] = "reschedule_limit"

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        if ask.reschedules is not None and ask.reschedules >= ask.terms.reschedule_limit:
            yield RuleFailure(
                self.code,
                _("It was moved as often as the policy allows. Cancel it and book anew."),
                limit=ask.terms.reschedule_limit,
                current=ask.reschedules,
            )
