"""The door of the API: maintenance, and apps that are too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django import DjangoAssertNumQueries, Settings

from bcc.maintenance import (
    ApiDoorMiddleware,
    current_maintenance,
    describe_door,
    parsed_version,
    switch_off,
    switch_on,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


class TestCurrentMaintenance:
    def test_is_nothing_until_it_is_switched_on_and_after_it_is_switched_off(self) -> None:
        assert current_maintenance() is None
        switch_on(message="New greens.")
        shut = current_maintenance()
        assert shut is not None
        assert (shut.message, shut.until) == ("New greens.", None)
        assert switch_off()
        assert current_maintenance() is None
        assert not switch_off()

    def test_sees_every_change_at_once(self) -> None:
        for number in range(5):
            switch_on(message=f"Message {number}")
            shut = current_maintenance()
            assert shut is not None
            assert shut.message == f"Message {number}"

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"message": "x"}', '{"message": "x", "until": "soon"}', "\udcff"]
    )
    def test_stays_shut_when_the_file_cannot_be_read(self, data_dir: Path, text: str) -> None:
        (data_dir / "maintenance.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        shut = current_maintenance()
        assert shut is not None
        assert "looked after" in str(shut.message)


class TestMaintenance:
    @pytest.mark.parametrize(
        "path",
        ["/api/v1/me", "/api/v1/facilities", "/api/v1/schema", "/api/v1/nothing", "/api/v1/bootstrap/"],
    )
    def test_answers_503_everywhere_under_the_api(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries, path: str
    ) -> None:
        switch_on(message="New greens.")
        with django_assert_num_queries(0):
            response = client.get(path)
        assert response.status_code == 503
        assert response["Content-Type"] == "application/problem+json"
        assert response["Retry-After"] == "120"
        assert response["Cache-Control"] == "no-store"
        assert response["X-Request-ID"]
        problem = response.json()
        assert (problem["code"], problem["detail"]) == ("maintenance", "New greens.")
        assert problem["until"] is None

    def test_refuses_a_sign_in(self, client: Client) -> None:
        switch_on()
        response = client.post("/api/v1/auth/login", {}, content_type="application/json")
        assert (response.status_code, response.json()["code"]) == (503, "maintenance")

    @pytest.mark.parametrize(
        "path", ["/api/v1/bootstrap", "/api/v1/time", "/admin/login/", "/health/live", "/health/ready"]
    )
    def test_leaves_the_rest_open(self, client: Client, path: str) -> None:
        switch_on()
        assert client.get(path).status_code == 200

    @pytest.mark.parametrize(
        ("left", "wait"),
        [
            (timedelta(seconds=90), "91"),
            (timedelta(hours=5), "3600"),
            (timedelta(0), "1"),
            (timedelta(seconds=-1), "120"),
        ],
        ids=["soon", "far", "now", "passed"],
    )
    def test_asks_to_wait_until_it_should_be_over(
        self, client: Client, now: datetime, left: timedelta, wait: str
    ) -> None:
        with time_machine.travel(now, tick=False):
            switch_on(until=now + left)
            response = client.get("/api/v1/me")
        assert response["Retry-After"] == wait
        assert response.json()["retry_after"] == int(wait)

    def test_is_over_with_the_next_request(self, client: Client) -> None:
        switch_on()
        assert client.get("/api/v1/me").status_code == 503
        switch_off()
        assert client.get("/api/v1/me").status_code == 401


class TestMinimumVersion:
    @pytest.fixture(autouse=True)
    def minimum(self, settings: Settings) -> None:
        settings.MINIMUM_APP_VERSION = "1.10.2"

    def ask(self, client: Client, version: str, path: str = "/api/v1/time") -> Any:
        return client.get(path, headers={"X-App-Version": version})

    @pytest.mark.parametrize("version", ["1.10.2", "1.10.2.0", "1.10.3", "1.11", "2", "10.0.0"])
    def test_lets_an_app_in_that_is_new_enough(self, client: Client, version: str) -> None:
        assert self.ask(client, version).status_code == 200

    @pytest.mark.parametrize("version", ["1.10.1", "1.9.9", "1.10", "1", "0", "1.10.1.99999"])
    def test_answers_426_to_one_that_is_too_old(self, client: Client, version: str) -> None:
        response = self.ask(client, version)
        assert response.status_code == 426
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert (problem["code"], problem["minimum_app_version"]) == ("app_too_old", "1.10.2")

    @pytest.mark.parametrize(
        "version",
        ["", "v1.2", "1.2-beta", "1..2", "1.2.3.4.5", "1,2", "999999", "１.２", "1.2 ", "1.10.2, 1"],
    )
    def test_answers_400_to_what_is_no_version(self, client: Client, version: str) -> None:
        response = self.ask(client, version)
        if version == "1.2 ":
            assert response.status_code in (400, 426)  # a server may strip the space
            return
        assert response.status_code == 400
        assert response.json()["errors"]["X-App-Version"][0]["code"] == "invalid"

    @pytest.mark.parametrize("version", ["0.1", "none"])
    def test_always_leaves_bootstrap_open_and_the_pages_too(self, client: Client, version: str) -> None:
        found = self.ask(client, version, "/api/v1/bootstrap")
        assert found.status_code == 200
        assert found.json()["minimum_app_version"] == "1.10.2"
        assert self.ask(client, version, "/health/live").status_code == 200

    def test_checks_nothing_without_the_header(self, client: Client) -> None:
        assert client.get("/api/v1/time").status_code == 200

    def test_tells_of_maintenance_first(self, client: Client) -> None:
        switch_on()
        assert self.ask(client, "0.1", "/api/v1/me").status_code == 503
        assert self.ask(client, "0.1").status_code == 426

    def test_does_not_start_with_a_setting_that_is_no_version(self, settings: Settings) -> None:
        settings.MINIMUM_APP_VERSION = "soon"
        with pytest.raises(ImproperlyConfigured):
            ApiDoorMiddleware(lambda request: HttpResponse())

    def test_lets_a_page_of_the_clubs_send_the_header(self, client: Client, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
        response = client.options(
            "/api/v1/me",
            headers={
                "Origin": "https://app.example.com",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "x-app-version",
            },
        )
        assert "x-app-version" in response["Access-Control-Allow-Headers"]


class TestParsedVersion:
    def test_counts_by_numbers_and_fills_up_with_zeros(self) -> None:
        assert parsed_version("1.4") == parsed_version("1.4.0") == (1, 4, 0, 0)
        assert parsed_version("1.4\n") is None


class TestDescribeDoor:
    def test_shows_the_header_and_the_refusals_on_every_route_but_bootstrap(self) -> None:
        generator: Any = SchemaGenerator
        schema = generator().get_schema(request=None, public=True)
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                has_header = {"$ref": "#/components/parameters/AppVersion"} in operation.get("parameters", [])
                shuts = "503" in operation["responses"]
                assert has_header == ("426" in operation["responses"]) == (path != "/api/v1/bootstrap")
                assert shuts == (path not in {"/api/v1/bootstrap", "/api/v1/time"}), path

    def test_leaves_a_part_of_the_api_alone(self) -> None:
        part: dict[str, Any] = {"paths": {"/api/v1/time": {"get": {"responses": {}}}}, "components": {}}
        assert describe_door(part, None, None, True) == {
            "paths": {"/api/v1/time": {"get": {"responses": {}}}},
            "components": {},
        }


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("maintenance", *arguments, stdout=out)
    return out.getvalue()


class TestCommand:
    def test_switches_on_says_how_it_stands_and_switches_off(self, client: Client) -> None:
        until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
        assert "is open" in run()
        assert "New greens." in run("on", "--until", until.isoformat(), "--message", "New greens.")
        assert "is shut for maintenance until" in run()
        shut = client.get("/api/v1/bootstrap").json()["maintenance"]
        assert shut == {"message": "New greens.", "until": until.isoformat().replace("+00:00", "Z")}
        assert "open again" in run("off")
        assert "open already" in run("off")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("on", "--until", "soon"),
            ("on", "--until", "2099-01-01T00:00"),
            ("on", "--until", "2020-01-01T00:00Z"),
            ("off", "--message", "x"),
            ("--message", "x"),
            ("maybe",),
        ],
        ids=["no instant", "no offset", "passed", "message with off", "message alone", "neither"],
    )
    def test_refuses_what_it_cannot_mean(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            run(*arguments)
        assert current_maintenance() is None
