from __future__ import annotations

from datetime import datetime

import orjson
import pytest

from accounts.models import Member
from accounts.services.personal_data import anonymise_member, export_of
from documents.models import AccessKind, Document, DocumentAccess, Image, ImagePurpose, MemberPhoto
from tests.documents import pictures
from tests.documents.papers import make_account, make_statement
from tests.documents.test_images import photo_of, take

pytestmark = pytest.mark.django_db


class TestExport:
    def test_holds_papers_sums_entries_pictures_and_what_was_read(self, owner: Member, now: datetime) -> None:
        statement = make_statement(owner.membership, "2026-05", now=now, due="4380.50")
        make_account(owner.membership, "2026-05", now=now)
        DocumentAccess.objects.create(
            document=statement, user=owner.user, kind=AccessKind.DOWNLOAD, at=now, is_staff=False
        )
        photo_of(owner, now)
        copy = export_of(owner)
        assert [one["period"] for one in copy["documents"]] == ["2026-05"]
        assert copy["account_sums"][0]["due"] == "4380.50"
        assert copy["account_entries"]
        assert [one["purpose"] for one in copy["pictures"]] == ["member_photo"]
        assert [one["kind"] for one in copy["documents_read"]] == ["download"]
        orjson.dumps(copy, default=str)

    def test_of_a_dependent_has_nothing_of_the_households_money(
        self, owner: Member, dependent: Member, now: datetime
    ) -> None:
        make_statement(owner.membership, "2026-05", now=now)
        make_account(owner.membership, "2026-05", now=now)
        copy = export_of(dependent)
        assert (copy["documents"], copy["account_sums"], copy["account_entries"]) == ([], [], [])

    def test_of_a_stranger_has_nothing_of_theirs(
        self, owner: Member, stranger: Member, now: datetime
    ) -> None:
        make_statement(owner.membership, "2026-05", now=now)
        photo_of(owner, now)
        copy = export_of(stranger)
        assert (copy["documents"], copy["pictures"]) == ([], [])


class TestAnonymise:
    def test_takes_the_pictures_and_leaves_the_clubs_books(self, owner: Member, now: datetime) -> None:
        make_statement(owner.membership, "2026-05", now=now)
        photo_of(owner, now)
        take(pictures.jpeg(), now, purpose=ImagePurpose.MEMBER_PHOTO, by=owner)
        anonymise_member(member=owner, now=now)
        assert not MemberPhoto.objects.exists()
        assert not Image.objects.exists()
        assert Document.objects.count() == 1
