"""A member of staff of the membership office, and one member. Prints who it is as JSON.

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

from django.contrib.auth.models import Group  # noqa: E402 - the apps come first

from accounts.models import MembershipCategory, User  # noqa: E402
from tests.factories import MemberFactory  # noqa: E402


def main() -> None:
    category = MembershipCategory.objects.create(code="regular", name="Regular")
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(
        "test-office", password, is_staff=True, display_name="Test Office", email="office@example.com"
    )
    user.groups.add(Group.objects.get(name="Membership"))
    member = MemberFactory.create(first_name="Demo", last_name="Looked-At", membership__category=category)
    print(
        json.dumps({"username": user.username, "password": password, "member": str(member.pk)}),
    )


if __name__ == "__main__":
    main()
