"""Fill a place with members who each have a statement; write what a client needs to ask for them."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps come first
from django.core.management import call_command  # noqa: E402

from accounts.services.tokens import make_tokens  # noqa: E402
from bcc.core import clock  # noqa: E402
from documents.policies.links import proxy_link  # noqa: E402
from tests.documents.papers import make_document  # noqa: E402
from tests.factories import MemberFactory, make_session  # noqa: E402

MEMBERS = 64
BYTES = 200 * 1024
# Longer than a run: what a link costs does not hang on when it ends.
LINK_SECONDS = 24 * 60 * 60


def main(report: Path) -> None:
    call_command("migrate", verbosity=0)
    now, noise = clock.now(), random.Random(5)
    asks = []
    for _ in range(MEMBERS):
        member = MemberFactory.create()
        assert member.user is not None
        document = make_document(
            member.membership, "2026-05", now=now, body=b"%PDF-1.7\n" + noise.randbytes(BYTES - 9)
        )
        tokens = make_tokens(user=member.user, session=make_session(member.user, now=now), now=now)
        asks.append(
            {
                "content": f"/api/v1/documents/{document.public_id}/content",
                "link": proxy_link(
                    key=document.asset.key,
                    media_type="application/pdf",
                    name="SOA_2026-05.pdf",
                    expires=int(now.timestamp()) + LINK_SECONDS,
                    secret=settings.FILES_LINK_KEY,
                ),
                "static": f"/plain/{document.asset.key}",
                "token": tokens.access,
                "sha256": document.sha256,
            }
        )
    report.write_text(
        json.dumps({"asks": asks, "bytes": BYTES, "folder": os.fspath(settings.DATA_DIR / "files")})
    )


main(Path(sys.argv[1]))
