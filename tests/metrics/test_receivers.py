from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from accounts import signals as accounts
from accounts.models import Member, User
from metrics.models import Activity
from metrics.services.activities import actor_hash, flush_activities
from reservations import signals as reservations
from reservations.models import Reservation


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"bcc_{name}_total", labels) or 0.0


class TestNoteRefusal:
    def test_is_an_activity_about_the_day_that_was_wanted(self, owner: Member, now: datetime) -> None:
        facility = uuid4()
        before = counted("refusals", rule="quota_exceeded")
        # 23:30 in UTC is the next morning at the club.
        reservations.booking_refused.send(
            sender=Reservation,
            facility=facility,
            member_id=owner.pk,
            rules=["quota_exceeded", "too_late"],
            starts_at=datetime(2026, 6, 2, 23, 30, tzinfo=now.tzinfo),
            at=now,
        )
        flush_activities()
        row = Activity.objects.get()
        assert owner.user_id is not None
        assert (row.name, row.actor_hash, row.at) == ("booking_refused", actor_hash(owner.user_id), now)
        assert str(row.about_on) == "2026-06-03"
        assert row.properties == {"facility": str(facility), "rules": ["quota_exceeded", "too_late"]}
        assert counted("refusals", rule="quota_exceeded") == before + 1

    def test_a_refused_booking_over_rest_is_noted(
        self, owner: Member, client_of: Any, body_of: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        client = client_of(owner)
        assert client.post("/api/v1/reservations", body_of(), format="json").status_code == 201
        with django_capture_on_commit_callbacks(execute=True):
            again = client.post(
                "/api/v1/reservations", body_of(), format="json", headers={"Idempotency-Key": "again"}
            )
        assert again.status_code in (409, 422)
        flush_activities()
        row = Activity.objects.get(name="booking_refused")
        assert row.properties["rules"]


class TestCountChange:
    def test_counts_by_state(self, db: None, now: datetime) -> None:
        before = counted("reservations", state="HELD")
        reservations.reservation_changed.send(sender=Reservation, reservation_id=1, state="HELD", at=now)
        assert counted("reservations", state="HELD") == before + 1


class TestNoteSignIn:
    def test_says_how_and_by_whom_without_a_name(self, owner: Member, travel: Any, now: datetime) -> None:
        before = counted("sign_ins", outcome="otp")
        accounts.signed_in.send(sender=User, user_id=owner.user_id, method="otp")
        flush_activities()
        row = Activity.objects.get()
        assert owner.user_id is not None
        assert (row.name, row.properties, row.at) == ("sign_in", {"method": "otp"}, now)
        assert row.actor_hash == actor_hash(owner.user_id)
        assert counted("sign_ins", outcome="otp") == before + 1

    def test_a_failed_one_says_why_and_never_who(self, db: None, travel: Any) -> None:
        before = counted("sign_ins", outcome="wrong_credentials")
        accounts.sign_in_failed.send(sender=User, reason="wrong_credentials")
        flush_activities()
        row = Activity.objects.get()
        assert (row.name, row.properties) == ("sign_in_failed", {"reason": "wrong_credentials"})
        assert row.actor_hash == ""
        assert counted("sign_ins", outcome="wrong_credentials") == before + 1


@pytest.mark.parametrize("name", ["reservations", "refusals", "sign_ins"])
def test_no_label_could_hold_an_identity(name: str, db: None, owner: Member, now: datetime) -> None:
    accounts.signed_in.send(sender=User, user_id=owner.user_id, method="password")
    reservations.booking_refused.send(
        sender=Reservation,
        facility=uuid4(),
        member_id=owner.pk,
        rules=["x"],
        starts_at=now + timedelta(days=1),
        at=now,
    )
    families = [family for family in REGISTRY.collect() if family.name == f"bcc_{name}"]
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels <= {"state", "rule", "outcome"}
