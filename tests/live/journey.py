"""A member's way through the whole house, as a program of its own that speaks HTTP to a running demo club.

    python -m tests.live.journey --url http://127.0.0.1:8000 --data-dir data

It needs nothing but Python. Who may sign in stands in ``demo-sign-ins.json`` of the data folder, and the
one-time codes in its ``outbox.txt``. What it books it gives back, so it can be run again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.live.phone import Phone, SurpriseError, expect

# The scheduler looks every minute; the contract allows it ninety seconds after the deadline.
EXPIRY_SECONDS = 90
FEWEST_SLOTS = 6
MOST_BOOKINGS = 20
PARTY = 2
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Slot:
    facility: str
    name: str
    starts_at: str
    ends_at: str

    @property
    def wish(self) -> dict[str, object]:
        return {
            "facility": self.facility,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "party": PARTY,
        }

    def __str__(self) -> str:
        return f"{self.name}, {self.starts_at}"


@dataclass(slots=True)
class Club:
    """The running demo club, seen from two households."""

    url: str
    data_dir: Path
    hurry: bool
    phones: list[Phone] = field(default_factory=list)

    def sign_in(self) -> tuple[Phone, Phone]:
        """The first member of the list, and the last, who is of another household."""
        said = json.loads((self.data_dir / "demo-sign-ins.json").read_text())
        members = [one["sign_in"] for one in said["people"] if "staff" not in one["who"]]
        for number in (members[0], members[-1]):
            phone = Phone(self.url, self.data_dir / "outbox.txt")
            # Lower case and without its dashes: any spelling of a member number is the number.
            phone.sign_in(number.lower().replace("-", ""), said["password"])
            tell(f"{number} is signed in with a password and a one-time code")
            self.phones.append(phone)
        return self.phones[0], self.phones[1]

    def now(self) -> datetime:
        """The club's time, without asking the server: the demo's clock may have been moved by its file."""
        offset = self.data_dir / "clock-offset"
        moved = float(offset.read_text()) if offset.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=moved)

    def wait_until(self, instant: datetime) -> None:
        """Until the club's clock says so; in a hurry its clock is moved, as ``manage.py demo_clock`` does."""
        if self.hurry and instant - self.now() > timedelta(seconds=2):
            target = (instant - timedelta(seconds=1)).isoformat()
            moved = subprocess.run(
                [sys.executable, "manage.py", "demo_clock", target],
                cwd=ROOT,
                env={**os.environ, "DATA_DIR": str(self.data_dir.resolve())},
                capture_output=True,
                text=True,
                check=False,
            )
            expect(moved.returncode == 0, f"the demo's clock to move, not {moved.stderr.strip()}")
            tell("the club's clock is moved forward; `manage.py demo_clock --reset` moves it back")
        while (left := (instant - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 1))

    @contextlib.contextmanager
    def giving_back(self) -> Iterator[None]:
        """Cancel in the end what was booked, also after a surprise."""
        try:
            yield
        finally:
            for phone in self.phones:
                phone.give_back()


def tell(text: str) -> None:
    print(f"  {text}", flush=True)


def free_slots(*phones: Phone) -> list[Slot]:
    """The slots, free for each of them, of the court and day that has most, soonest first."""
    best: list[Slot] = []
    for facility in phones[0].get("facilities", kind="court")["results"]:
        # Not tomorrow's yet, so that giving them back costs nothing.
        path = f"facilities/{facility['id']}/availability"
        days = [phone.get(path, party=str(PARTY))["days"][2:] for phone in phones]
        for of_a_day in zip(*days, strict=True):
            free = [
                {
                    Slot(facility["id"], facility["name"], slot["starts_at"], slot["ends_at"])
                    for slot in day["slots"]
                    if slot["state"] == "free"
                }
                for day in of_a_day
            ]
            best = max(best, sorted(set.intersection(*free), key=lambda slot: slot.starts_at), key=len)
    expect(len(best) >= FEWEST_SLOTS, f"a court with {FEWEST_SLOTS} free slots on one of the coming days")
    return best


def booking(club: Club) -> None:
    """Availability, quote, hold, confirm, reschedule, cancel; then up to the quota, and past it."""
    phone, _other = club.sign_in()
    first, later, *rest = free_slots(phone)
    tell(f"free: {first}")

    quoted = phone.done("reservations/quote", first.wish)
    expect(quoted["terms"] and quoted["state"] == "HELD", f"a quote of a hold with its terms, not {quoted}")
    tell(f"quoted: {quoted['state']}, {quoted['estimate'] or 'no'} {quoted['currency']}")
    key = str(uuid4())
    held = phone.book(first.wish, key=key)
    expect(held["state"] == "HELD" and held["expires_at"], f"a hold with a deadline, not {held}")
    expect(phone.book(first.wish, key=key) == held, "the same reply for the same Idempotency-Key")
    tell(f"held until {held['expires_at']}")
    path = f"reservations/{held['id']}"
    expect(phone.done(f"{path}/confirm")["state"] == "CONFIRMED", "confirming confirms")
    moved = phone.done(f"{path}/reschedule", {"starts_at": later.starts_at, "ends_at": later.ends_at})
    expect(
        (moved["id"], moved["state"], moved["starts_at"]) == (held["id"], "CONFIRMED", later.starts_at),
        f"the same reservation at another time, not {moved}",
    )
    cancelled = phone.done(f"{path}/cancel", {"reason": "Another day."})
    expect(cancelled["state"] == "CANCELLED_MEMBER", "cancelling cancels")
    history = [(event["action"], event["to_state"]) for event in phone.get(f"{path}/events")["results"]]
    expect(
        history
        == [
            ("created", "HELD"),
            ("moved", "CONFIRMED"),
            ("rescheduled", "CONFIRMED"),
            ("moved", "CANCELLED_MEMBER"),
        ],
        f"the whole history, not {history}",
    )
    expect(phone.told(held["id"]).count("reservation_cancelled_member") == 1, "one notice of it")
    tell("confirmed, rescheduled, cancelled; the history says so, and the member was told once")
    fill_quota(phone, [first, later, *rest])


def fill_quota(phone: Phone, slots: list[Slot]) -> None:
    """Book until the club says no, and take what it offers instead."""
    count, status = 0, 0
    reply: Any = None
    for slot in slots[:MOST_BOOKINGS]:
        status, reply = phone.post("reservations", slot.wish)
        if status != 201:
            break
        phone.mine.append(reply["id"])
        count += 1
    expect(status == 422 and count > 0, f"a refusal by a rule after the first, not {status} {reply}")
    rule = next((rule for rule in reply["rules"] if rule["code"] == "quota_exceeded"), None)
    expect(rule is not None, f"the quota among the rules, not {reply['rules']}")
    assert rule is not None
    expect(rule["limit"] == rule["current"] > 0, f"the limit, and as many counted, not {rule}")
    tell(f"booked {count}, then refused: {rule['code']}, limit {rule['limit']}, count {rule['current']}")
    expect(bool(reply["alternatives"]), "an alternative")
    instead = reply["alternatives"][0]
    phone.book(Slot(instead["facility"], instead["name"], instead["starts_at"], instead["ends_at"]).wish)
    tell(f"the first alternative is booked: {instead['name']}, {instead['starts_at']}")


def hold(club: Club) -> None:
    """A hold left alone ends by itself, without any request in between, and frees its slot."""
    phone, _other = club.sign_in()
    slot = free_slots(phone)[-1]
    held = phone.book(slot.wish)
    expect(held["state"] == "HELD", f"a hold, not {held}")
    deadline = datetime.fromisoformat(held["expires_at"])
    tell(f"held until {held['expires_at']}: {slot}")
    # The only sign that is no request: what the club sends its member.
    before = phone.count_messages("Expired")
    club.wait_until(deadline)
    latest = deadline + timedelta(seconds=EXPIRY_SECONDS)
    while phone.count_messages("Expired") == before and club.now() < latest:
        time.sleep(0.5)

    event = phone.get(f"reservations/{held['id']}/events")["results"][-1]
    late = (datetime.fromisoformat(event["at"]) - deadline).total_seconds()
    expect(
        (event["to_state"], event["actor"]) == ("EXPIRED", "scheduler") and 0 <= late <= EXPIRY_SECONDS,
        f"EXPIRED by the scheduler within {EXPIRY_SECONDS} s, not {event} after {late} s",
    )
    tell(f"the scheduler expired it {late:.0f} s after its deadline")
    told = phone.told(held["id"]).count("reservation_expired"), phone.count_messages("Expired") - before
    expect(told == (1, 1), f"one notice of it in the app and one e-mail, not {told}")
    phone.book(slot.wish)
    tell("its member was told once, and the slot is booked again")


def without_scheduler(club: Club) -> None:
    """With the scheduler stopped, another member's booking ends a hold that is over."""
    first, second = club.sign_in()
    slot = free_slots(first, second)[-1]
    held = first.book(slot.wish)
    expect(held["state"] == "HELD", f"a hold, not {held}")
    status, reply = second.post("reservations", slot.wish)
    expect((status, reply.get("code")) == (409, "slot_taken"), f"409 while it is held, not {status} {reply}")
    tell(f"held until {held['expires_at']}, and taken for the other member: {slot}")
    club.wait_until(datetime.fromisoformat(held["expires_at"]) + timedelta(seconds=1))
    state = first.get(f"reservations/{held['id']}")["state"]
    expect(state == "HELD", f"nobody to end it, but it is {state}: stop the scheduler (--no-scheduler)")
    second.book(slot.wish)
    event = first.get(f"reservations/{held['id']}/events")["results"][-1]
    expect(
        (event["to_state"], event["actor"]) == ("EXPIRED", "booking"),
        f"EXPIRED by the booking, not {event}",
    )
    tell("the other member's booking succeeded at once, and ended the hold")


CHAPTERS = {"booking": booking, "hold": hold, "without-scheduler": without_scheduler}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.live.journey", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the club runs (%(default)s)")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="its data folder (%(default)s)")
    parser.add_argument(
        "--chapter",
        choices=CHAPTERS,
        action="append",
        help="which part (booking and hold); without-scheduler needs a server with --no-scheduler",
    )
    parser.add_argument(
        "--hurry", action="store_true", help="move the demo club's clock instead of waiting for a deadline"
    )
    given = parser.parse_args()
    for name in given.chapter or ["booking", "hold"]:
        print(f"── {name}", flush=True)
        club = Club(given.url, given.data_dir, given.hurry)
        try:
            with club.giving_back():
                CHAPTERS[name](club)
        except (SurpriseError, OSError) as error:
            print(f"  not as it should be: {error}", file=sys.stderr, flush=True)
            return 1
    print("── everything is as it should be", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
