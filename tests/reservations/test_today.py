from __future__ import annotations
import pytest
from django.test import Client
from reservations.selectors.today import get_day
from datetime import date
pytestmark = pytest.mark.django_db
def test_x(front_desk, court, travel, now):
    c = Client(); c.force_login(front_desk)
    r = c.get("/admin/reservations/today/?date=2026-06-02")
    assert r.status_code == 200
    print(r.content.decode()[:200])
