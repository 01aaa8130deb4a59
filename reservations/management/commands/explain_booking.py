"""``manage.py explain_booking``: why a member could book a time, or not, rule by rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Member
from accounts.policies.identifiers import member_number_key
from bcc.core import clock
from bcc.core.errors import DomainError, InvalidError
from bcc.core.walltime import wall_instant
from facilities.models import Facility
from facilities.policies.plain_language import money
from reservations.services.explain import Explanation, explain_booking

EXAMPLE = "manage.py explain_booking tennis-1 DM-0001-0 2026-12-24T10:00 --party 2 --at 2026-12-20T08:00"


class Command(BaseCommand):
    help = (
        "Say what the app would answer a member who wants to book: every rule with its code, its verdict, "
        "its limit and count; deadlines, price, and what would pass instead. Nothing is changed. "
        "Times are of the club unless they carry an offset. "
        f"Example: {EXAMPLE}. Exits 0 whatever the answer is, and 1 if the question makes no sense."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("facility", help="The code of the facility, as in tennis-1.")
        parser.add_argument("member", help="The member's number, in any spelling.")
        parser.add_argument("starts_at", help="The start, as in 2026-12-24T10:00.")
        parser.add_argument("--until", help="The end; the shortest booking unless said.")
        parser.add_argument("--party", type=int, default=1, help="How many, the member included (1).")
        parser.add_argument(
            "--guest",
            action="append",
            metavar="NAME",
            help="A guest by name, once for each. The rest of the party are taken as members.",
        )
        parser.add_argument("--at", help="The moment of asking; now unless said.")

    def handle(self, *args: Any, **options: Any) -> None:
        guests: list[str] | None = options["guest"]
        if not 1 <= options["party"] <= 500:
            raise CommandError("--party is a number from 1 to 500.")
        if len(guests or ()) >= options["party"]:
            raise CommandError("One of the party is the member. Raise --party or name fewer guests.")
        facility = Facility.objects.filter(code=options["facility"]).first()
        if facility is None:
            codes = ", ".join(Facility.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no facility {options['facility']}. There are: {codes}.")
        member = Member.objects.filter(member_no_key=member_number_key(options["member"])).first()
        if member is None:
            raise CommandError(f"No member has the number {options['member']}.")
        try:
            found = explain_booking(
                facility_id=facility.public_id,
                member_id=member.pk,
                starts_at=read_moment(options["starts_at"]),
                ends_at=read_moment(options["until"]) if options["until"] else None,
                party=options["party"],
                guests=guests,
                now=read_moment(options["at"]) if options["at"] else clock.now(),
            )
        except DomainError as error:
            raise CommandError(_words(error)) from error
        self._say(found, member)

    def _say(self, found: Explanation, member: Member) -> None:
        write = self.stdout.write
        interval = f"{say_moment(found.interval.starts_at)} to {say_moment(found.interval.ends_at)}"
        write(f"{found.facility.name}, {interval}")
        write(f"for {member.member_no}, asked at {say_moment(found.at)}")
        if found.refused is None:
            write(self.style.SUCCESS(f"It would be booked: {found.state}."))
        else:
            codes = sorted({rule.code for rule in found.refused.rules} or {found.refused.code})
            write(self.style.ERROR(f"It would be refused ({found.refused.status}): {', '.join(codes)}."))
        for verdict in found.verdicts:
            mark = self.style.SUCCESS("passed") if verdict.passed else self.style.ERROR("FAILED")
            numbers = (
                "" if verdict.limit is None else f"limit {verdict.limit}, count {_or_dash(verdict.current)}"
            )
            write(f"  {mark}  {verdict.code:<22} {verdict.about:<40} {numbers}".rstrip())
            if verdict.detail:
                write(f"          {verdict.detail}")
            if verdict.retry_at is not None:
                write(f"          passes from {say_moment(verdict.retry_at)}")
        if found.terms is None and found.refused is not None:
            for rule in found.refused.rules:
                write(f"  {rule.detail}")
        for name, instant in (
            ("deadline", found.expires_at if found.refused is None else None),
            ("free to cancel until", found.free_until),
            ("check-in from", found.check_in_from),
            ("no-show at", found.no_show_at),
        ):
            if instant is not None:
                write(f"{name}: {say_moment(instant)}")
        if found.estimate is not None:
            write(f"price by the rates: {money(found.estimate, settings.CLUB_CURRENCY)}")
        for one in found.alternatives:
            write(f"would pass: {one['name']}, {say_moment(one['starts_at'])}")


def read_moment(text: str) -> datetime:
    """A time of the club, or any with its offset. Raises CommandError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no time. Write it as in 2026-12-24T10:00.") from error
    if not 2000 <= moment.year <= 2100:
        raise CommandError(f"{text} is out of any calendar of the club.")
    if moment.tzinfo is not None:
        return moment
    instant = wall_instant(moment.date(), moment.time(), clock.zone())
    if instant is None:
        raise CommandError(f"The clock skips {text}. Choose another time.")
    return instant


def say_moment(instant: datetime) -> str:
    return f"{instant.astimezone(clock.zone()):%Y-%m-%d %H:%M}"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _words(error: DomainError) -> str:
    if isinstance(error, InvalidError) and error.errors:
        return " ".join(str(detail) for pairs in error.errors.values() for _code, detail in pairs)
    return str(error.detail)
