"""The headings of the back office: each names pages that there are, and none is left without one."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.test import Client

from accounts.models import User


class TestSections:
    def test_name_models_and_apps_that_there_are(self) -> None:
        for _key, _title, names in settings.BACKOFFICE_SECTIONS:
            for name in names:
                label, _dot, model = name.partition(".")
                config = apps.get_app_config(label)
                assert model == "*" or config.get_model(model), name

    def test_name_each_page_once(self) -> None:
        names = [name for _key, _title, names in settings.BACKOFFICE_SECTIONS for name in names]

        assert len(names) == len(set(names))

    @pytest.mark.django_db
    def test_leave_no_page_over(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("boss"))

        shown = client.get("/admin/").context["app_list"]

        keys = {key for key, _title, _names in settings.BACKOFFICE_SECTIONS}
        assert [one["name"] for one in shown if one["app_label"] not in keys] == []
        pages = {page["model"] for one in shown for page in one["models"]}
        assert pages == set(admin.site._registry)

    @pytest.mark.django_db
    def test_show_each_member_of_staff_only_what_they_may_open(
        self, client: Client, each_staff: User
    ) -> None:
        client.force_login(each_staff)
        response = client.get("/admin/")
        pages = [page for one in response.context["app_list"] for page in one["models"]]

        assert response.status_code == 200
        assert pages
        for page in pages:
            assert client.get(page["admin_url"]).status_code == 200, page["admin_url"]

    @pytest.mark.django_db
    def test_say_whom_to_ask_to_who_has_no_group(self, client: Client) -> None:
        client.force_login(User.objects.create(username="new", is_staff=True))

        assert "Ask a superuser for the group of your work." in client.get("/admin/").content.decode()
