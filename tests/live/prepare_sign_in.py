"""Members who sign in, and members whose accounts are suspended. Prints who they are as JSON.

Run as a process of its own, before the server.
"""

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

from django.contrib.auth.hashers import make_password  # noqa: E402 - the apps come first
from django.db import transaction  # noqa: E402

from accounts.models import Member, User  # noqa: E402
from accounts.services.recovery import ensure_nobody  # noqa: E402
from accounts.services.tokens import make_tokens  # noqa: E402
from bcc.core import clock  # noqa: E402
from tests.factories import MemberFactory, make_session  # noqa: E402

# Of each kind: so many that none is asked for more often than the soft lock lets pass.
EACH = int(os.environ.get("SIGN_IN_MEMBERS", "10"))


@transaction.atomic
def main() -> None:
    password, now = secrets.token_urlsafe(12), clock.now()
    encoded = make_password(password)
    known: list[Member] = [MemberFactory.create() for _ in range(EACH)]
    suspended: list[Member] = [MemberFactory.create() for _ in range(EACH)]
    User.objects.update(password=encoded)
    User.objects.filter(member__in=suspended).update(is_active=False)
    ensure_nobody()
    user = known[0].user
    assert user is not None
    tokens = make_tokens(user=user, session=make_session(user, now=now), now=now)
    print(
        json.dumps(
            {
                "password": password,
                "known": [one.member_no for one in known],
                "suspended": [one.member_no for one in suspended],
                "refresh": tokens.refresh,
            }
        )
    )


if __name__ == "__main__":
    main()
