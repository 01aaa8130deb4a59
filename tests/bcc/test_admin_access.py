"""The back office: each group of staff opens the pages that its role lists, and no others."""

from __future__ import annotations

from typing import Final

import pytest
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Member, User
from accounts.services.roles import ROLES

# Pages that open by a permission of their own instead of the model's.
OWN: Final = {
    ("chat.console", "view"): "chat.serve_desks",
    ("reservations.today", "view"): "reservations.work_the_desk",
    ("reservations.reservation", "add"): "reservations.book_for_members",
    ("documents.importbatch", "add"): "documents.upload_batch",
}
PAGES: Final = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def page_of(model: type[Model], name: str) -> str:
    """Where a page of a model is; Django's own path for one that the admin does not even have."""
    options = model._meta
    base = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return base if name == "changelist" else f"{base}{name}/"


def may(role: str, verb: str, model: type[Model]) -> bool:
    """Whether ROLES gives the permission."""
    options = model._meta
    usual = f"{options.app_label}.{get_permission_codename(verb, options)}"
    return OWN.get((options.label_lower, verb), usual) in ROLES[role]


@pytest.fixture
def each_browser(each_staff: User) -> tuple[str, Client]:
    """A group's name and a browser signed in as one of it, one group after the other."""
    browser = Client()
    browser.force_login(each_staff)
    return each_staff.groups.get().name, browser


class TestAdmin:
    def test_opens_to_a_group_the_lists_that_its_role_names(self, each_browser: tuple[str, Client]) -> None:
        role, browser = each_browser
        wanted = {model._meta.label_lower: 200 if may(role, "view", model) else 403 for model in PAGES}
        found = {
            model._meta.label_lower: browser.get(page_of(model, "changelist")).status_code for model in PAGES
        }
        assert found == wanted

    def test_lets_nobody_add_what_their_role_does_not_name(self, each_browser: tuple[str, Client]) -> None:
        role, browser = each_browser
        for model in PAGES:
            status = browser.get(page_of(model, "add")).status_code
            assert status in (403, 404) or (status == 200 and may(role, "add", model)), (model, status)

    def test_asks_a_stranger_and_a_member_to_sign_in(self, owner: Member) -> None:
        member = Client()
        assert owner.user is not None
        member.force_login(owner.user)
        for browser in (Client(), member):
            for model in PAGES:
                answer = browser.get(page_of(model, "changelist"))
                assert answer.status_code == 302, model
                assert answer["Location"].startswith(reverse("admin:login")), model
