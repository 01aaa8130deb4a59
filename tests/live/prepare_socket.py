"""Fill a data folder for the tests of the socket: one member who signs in, and one court; their JSON."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()


from bcc.core import clock  # noqa: E402
from tests.factories import MemberFactory, make_facility  # noqa: E402
from tests.live.making import make_tables  # noqa: E402


def main() -> None:
    make_tables()
    member = MemberFactory.create()
    assert member.user is not None
    password = secrets.token_urlsafe(16)
    member.user.set_password(password)
    member.user.save(update_fields=["password"])
    court = make_facility("Socket Court", terms={"open_days_ahead": 30, "hold_minutes": 10})
    print(
        json.dumps(
            {
                "member_no": member.member_no,
                "password": password,
                "court": str(court.public_id),
                "today": clock.today().isoformat(),
            }
        )
    )


main()
