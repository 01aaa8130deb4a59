from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured

from accounts.services import roles
from accounts.services.roles import ROLES, sync_roles


def held(name: str) -> set[str]:
    rows = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


class TestSyncRoles:
    def test_gives_each_group_exactly_what_the_table_says(self, db: None) -> None:
        sync_roles()
        assert {name: held(name) for name in ROLES} == {name: set(wanted) for name, wanted in ROLES.items()}

    def test_takes_away_what_somebody_added_and_gives_back_what_was_taken(self, db: None) -> None:
        sync_roles()
        group = Group.objects.get(name="Auditor")
        group.permissions.add(Permission.objects.get(codename="delete_member"))
        group.permissions.remove(
            Permission.objects.get(content_type__app_label="accounts", codename="view_session")
        )
        sync_roles()
        assert held("Auditor") == ROLES["Auditor"]

    def test_leaves_the_clubs_own_groups_alone(self, db: None) -> None:
        own = Group.objects.create(name="Golf committee")
        own.permissions.add(Permission.objects.get(codename="view_member"))
        sync_roles()
        assert held("Golf committee") == {"accounts.view_member"}

    def test_is_cheap_when_nothing_changed(self, db: None, django_assert_max_num_queries: Any) -> None:
        sync_roles()
        with django_assert_max_num_queries(5):
            sync_roles()

    def test_skips_an_app_that_is_not_installed(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            roles, "ROLES", {"Guest": frozenset({"nowhere.view_thing", "accounts.view_member"})}
        )
        sync_roles()
        assert held("Guest") == {"accounts.view_member"}

    def test_fails_for_a_permission_that_an_installed_app_lacks(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(roles, "ROLES", {"Guest": frozenset({"accounts.view_ghost"})})
        with pytest.raises(ImproperlyConfigured, match=r"accounts\.view_ghost"):
            sync_roles()

    def test_is_done_by_migrate(self, db: None) -> None:
        assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)


class TestRoles:
    def test_an_auditor_only_looks(self) -> None:
        assert {name.partition(".")[2].partition("_")[0] for name in ROLES["Auditor"]} == {"view"}

    @pytest.mark.parametrize("name", sorted(ROLES))
    def test_no_role_writes_what_is_history(self, name: str) -> None:
        history = {"reservationevent", "slotclaim", "notification", "logentry", "session"}
        for permission in ROLES[name]:
            verb, _, model = permission.partition(".")[2].partition("_")
            assert model not in history or verb == "view" or (name, model) == ("Ops", "session")

    def test_only_facilities_and_finance_waive_a_cost(self) -> None:
        may = {name for name, held in ROLES.items() if "reservations.waive_cost" in held}
        assert may == {"Facilities", "Finance Approver"}
