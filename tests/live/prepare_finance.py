"""A small club in the first days of a month, and Finance's files of the month before, for the browser.

Run as a process of its own, before the server. Prints what it made as JSON.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps come first
from django.contrib.auth.models import Group  # noqa: E402

from bcc.core import clock  # noqa: E402
from documents.models import PageRegion  # noqa: E402
from tests.documents.corpus.people import account_no, accounts  # noqa: E402
from tests.documents.corpus.statements import ACCOUNT_BOX, ACCOUNT_LABEL, merged  # noqa: E402
from tests.factories import CategoryFactory, MemberFactory, MembershipFactory, UserFactory  # noqa: E402
from tests.live.making import make_tables  # noqa: E402

HOUSEHOLDS = 12
PERIOD = "2026-10"
SEED = 7
GROUPS = ("Finance Uploader", "Finance Approver")
BALANCES = "Account No,Name,Previous Balance,Charges,Payments,Amount Due"


def main() -> None:
    make_tables()
    clock.move_demo_clock(datetime(2026, 11, 4, 1, 0, tzinfo=UTC) - clock.now())
    CategoryFactory.create()
    people = accounts(HOUSEHOLDS, random.Random(SEED))
    for number, person in enumerate(people, 1):
        MemberFactory.create(
            membership=MembershipFactory.create(account_no=account_no(number)),
            first_name=person.name.split()[0],
            last_name=" ".join(person.name.split()[1:]),
            member_no=f"FIN-{number:04d}",
        )
    # One who joined later: no statement of October.
    MemberFactory.create(
        membership=MembershipFactory.create(account_no="D-0500"),
        first_name="Nora",
        last_name="Demo 0500",
        member_no="FIN-0500",
    )
    left, top, width, height = (round(measure) for measure in ACCOUNT_BOX)
    PageRegion.objects.all().delete()
    PageRegion.objects.create(
        kind="statement_pdf", name="Head", left=left, top=top, width=width, height=height, label=ACCOUNT_LABEL
    )
    folder = settings.DATA_DIR / "from-finance"
    folder.mkdir()
    manifest = merged(folder / "statements.pdf", people, random.Random(SEED))
    rows = [
        f"{one.account_no},{one.name},{one.previous},{one.charged},{one.payments},{one.due}" for one in people
    ]
    first = people[0]
    rows[0] = (
        f"{first.account_no},{first.name},{first.previous},{first.charged},{first.payments},{first.due + 1}"
    )
    (folder / "balances.csv").write_text("\n".join([BALANCES, *rows]) + "\n")
    staff = {}
    for group in GROUPS:
        password = secrets.token_urlsafe(12)
        user = UserFactory.create(
            username=group.lower().replace(" ", "-"), display_name=f"Test {group}", is_staff=True
        )
        user.groups.add(Group.objects.get(name=group))
        user.set_password(password)
        user.save()
        staff[group] = {"username": user.username, "password": password}
    print(
        json.dumps(
            {
                "staff": staff,
                "folder": str(folder),
                "period": PERIOD,
                "items": manifest["items"],
                "total": str(sum(one.due for one in people)),
            }
        )
    )


if __name__ == "__main__":
    main()
