"""A club of so many households and one delivery of their statements, for the killing of workers.

``N`` makes both and prints how the items must end; ``approve`` approves the batch.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps come first

from accounts.models import Member, Membership, User  # noqa: E402
from bcc.core import clock, transactions  # noqa: E402
from bcc.core.actors import Actor  # noqa: E402
from documents.models import BatchSource, ImportBatch, PageRegion  # noqa: E402
from documents.services.batches.receive import Delivered, receive_batch  # noqa: E402
from documents.services.batches.steps import approve_batch  # noqa: E402
from tests.documents.corpus.people import account_no, accounts  # noqa: E402
from tests.documents.corpus.statements import ACCOUNT_BOX, ACCOUNT_LABEL, merged  # noqa: E402
from tests.factories import CategoryFactory  # noqa: E402

PERIOD = "2026-10"
CLERK, BOSS = Actor("staff", "Test Clerk"), Actor("staff", "Test Boss")


def people(count: int) -> None:
    """Households with a principal each, in a few statements."""
    category = CategoryFactory.create()
    memberships = Membership.objects.bulk_create(
        Membership(account_no=account_no(number), category=category) for number in range(1, count + 1)
    )
    users = User.objects.bulk_create(
        User(username=f"k{number:04d}", display_name=f"Test K{number}") for number in range(1, count + 1)
    )
    Member.objects.bulk_create(
        Member(
            membership=membership,
            user=user,
            member_no=f"K-{number:04d}",
            member_no_key=f"K{number:04d}",
            first_name="Test",
            last_name=f"K{number:04d}",
        )
        for number, (membership, user) in enumerate(zip(memberships, users, strict=True), 1)
    )
    left, top, width, height = (round(measure) for measure in ACCOUNT_BOX)
    PageRegion.objects.all().delete()
    PageRegion.objects.create(
        kind="statement_pdf", name="Head", left=left, top=top, width=width, height=height, label=ACCOUNT_LABEL
    )


def deliver(items: int) -> dict[str, object]:
    """Of the items a cover, a control page, a scan, a stranger and a repetition are not filed."""
    count = items - 5
    transactions.run(lambda: people(count))
    path = settings.DATA_DIR / "statements.pdf"
    dice = random.Random(11)
    manifest = merged(path, accounts(count, dice), dice)
    with path.open("rb") as content:
        receive_batch(
            kind="statement_pdf",
            period=PERIOD,
            files=[Delivered(path.name, content)],
            source=BatchSource.COMMAND,
            by=CLERK,
            now=clock.now(),
        )
    return {
        "items": len(manifest["items"]),
        "pages": manifest["pages"],
        "outcomes": {"filed": count, "quarantined": 4, "duplicate": 1},
    }


def main() -> None:
    if sys.argv[1] == "approve":
        approve_batch(batch=ImportBatch.objects.get(), by=BOSS, now=clock.now())
        print(json.dumps({}))
    else:
        print(json.dumps(deliver(int(sys.argv[1]))))


if __name__ == "__main__":
    main()
