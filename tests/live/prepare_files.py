"""Give a member a small and a large statement, and a stranger one; their JSON. Wants the member number."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")

import django

django.setup()

from accounts.models import Member  # noqa: E402 - the apps come first
from bcc.core import clock  # noqa: E402
from documents.models import KindRule  # noqa: E402
from tests.documents.papers import make_document  # noqa: E402
from tests.factories import MemberFactory, MembershipFactory  # noqa: E402

LARGE = bytes(range(256)) * 4096


def main() -> None:
    now = clock.now()
    member = Member.objects.get(member_no=sys.argv[1])
    KindRule.objects.filter(kind="balances").update(download_name="Estado Peña 對帳單 {period}.pdf")
    small = make_document(member.membership, "2026-04", now=now)
    large = make_document(member.membership, "2026-05", now=now, body=b"%PDF" + LARGE)
    stranger = MemberFactory.create(
        membership=MembershipFactory.create(account_no="T-STRANGER"),
        member_no="TM-STRANGER",
        member_no_key="TMSTRANGER",
    )
    theirs = make_document(stranger.membership, "2026-05", now=now)
    facts = {
        name: {"id": str(one.public_id), "sha256": one.sha256, "size": one.asset.size, "key": one.asset.key}
        for name, one in {"small": small, "large": large, "theirs": theirs}.items()
    }
    print(json.dumps(facts))


main()
