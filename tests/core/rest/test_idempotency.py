from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connections
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from bcc.core import clock, errors
from bcc.core.models import IdempotencyKey
from bcc.core.rest import idempotency
from tests.core.rest import api
from tests.core.rest.conftest import OWNER, STRANGER
from tests.core.rest.test_problems import read

pytestmark = pytest.mark.engine

PARALLEL = 20


@pytest.fixture(autouse=True)
def no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.CreateView, "outcome", None)


def create(client: APIClient, key: str | None = "k1", note: str = "hello") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/v1/effects", {"note": note}, format="json", headers=headers)


def effects() -> int:
    return IdempotencyKey.objects.filter(route="effect").count()


@pytest.mark.django_db
class TestRespondOnce:
    def test_works_without_a_key(self, member: APIClient) -> None:
        assert create(member, None).status_code == create(member, None).status_code == 201
        assert effects() == 2
        assert IdempotencyKey.objects.exclude(route="effect").count() == 0

    def test_keeps_the_reply_of_the_first_success(self, member: APIClient) -> None:
        first = create(member)
        assert first.status_code == 201
        assert "Idempotency-Replayed" not in first
        stored = IdempotencyKey.objects.get(route="tests.create")
        assert (stored.principal, stored.key, stored.status) == (OWNER, "k1", 201)
        assert bytes(stored.reply) == first.content

    def test_replays_the_same_bytes_and_does_nothing(self, member: APIClient) -> None:
        first, again = create(member), create(member)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again["Idempotency-Replayed"] == "true"
        assert again["Content-Type"] == first["Content-Type"] == "application/json"
        assert effects() == 1

    def test_refuses_another_body_under_the_key(self, member: APIClient) -> None:
        create(member)
        assert read(create(member, note="other"), 422)["code"] == "key_reused"
        assert effects() == 1

    def test_judges_a_refusal_afresh(self, member: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api.CreateView, "outcome", errors.ConflictError(code="slot_taken"))
        read(create(member), 409)
        assert IdempotencyKey.objects.count() == 0
        monkeypatch.setattr(api.CreateView, "outcome", None)
        assert create(member).status_code == 201

    def test_keeps_no_key_of_a_defect(self, member: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        # An IntegrityError of the work is not one of the key.
        monkeypatch.setattr(api.CreateView, "outcome", IntegrityError("other"))
        read(create(member), 500)
        assert IdempotencyKey.objects.count() == 0

    def test_keeps_users_apart(self, member: APIClient, stranger: APIClient) -> None:
        mine, theirs = create(member), create(stranger)
        assert mine.status_code == theirs.status_code == 201
        assert mine.content != theirs.content
        assert set(IdempotencyKey.objects.filter(key="k1").values_list("principal", flat=True)) == {
            OWNER,
            STRANGER,
        }

    def test_keeps_routes_apart(self, member: APIClient) -> None:
        create(member)
        file = SimpleUploadedFile("a.txt", b"abc")
        response = member.post(
            "/api/v1/uploads", {"file": file}, format="multipart", headers={"Idempotency-Key": "k1"}
        )
        assert response.status_code == 201
        assert "Idempotency-Replayed" not in response

    def test_answers_in_flight_where_no_reply_is_stored_yet(self, member: APIClient) -> None:
        create(member)
        IdempotencyKey.objects.filter(route="tests.create").update(status=0, reply=b"")
        assert read(create(member), 409)["code"] == "key_in_flight"

    def test_forgets_a_key_after_a_day(self, member: APIClient) -> None:
        first = create(member)
        old = clock.now() - timedelta(hours=24, seconds=1)
        IdempotencyKey.objects.filter(route="tests.create").update(created_at=old)
        again = create(member, note="other")
        assert again.status_code == 201
        assert again.content != first.content
        assert effects() == 2

    @pytest.mark.parametrize("key", ["", "x" * 129, "a b", "a\tb", "ñ", "a\x7f", "a\x1fb"])
    def test_refuses_a_malformed_key(self, member: APIClient, key: str) -> None:
        problem = read(create(member, key), 400)
        assert [one["code"] for one in problem["errors"]["Idempotency-Key"]] == ["invalid_key"]
        assert effects() == 0

    @pytest.mark.parametrize("key", ["x" * 128, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
    def test_takes_a_key_of_visible_characters(self, member: APIClient, key: str) -> None:
        assert create(member, key).status_code == 201

    def test_refuses_the_anonymous(self, client: APIClient) -> None:
        read(create(client), 401)

    def test_binds_a_key_only_to_an_account(self) -> None:
        request = Request(APIRequestFactory().post("/x", {}, headers={"Idempotency-Key": "k"}))
        request.user = AnonymousUser()
        with pytest.raises(errors.NotAuthenticatedError):
            idempotency.respond_once(request, "r", lambda: (201, None))

    def test_tries_again_when_the_other_has_gone_meanwhile(
        self, member: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, tries = idempotency._first, list[None]()

        def taken_at_first(*args: Any) -> Any:
            tries.append(None)
            if len(tries) == 1:
                raise idempotency._KeyTakenError
            return real(*args)

        monkeypatch.setattr(idempotency, "_first", taken_at_first)
        assert create(member).status_code == 201
        assert (len(tries), effects()) == (2, 1)

    def test_gives_up_in_flight_when_it_never_gets_the_key(
        self, member: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken(*_args: Any) -> Any:
            raise idempotency._KeyTakenError

        monkeypatch.setattr(idempotency, "_first", taken)
        assert read(create(member), 409)["code"] == "key_in_flight"

    def test_never_keeps_what_is_no_success(self, member: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api.CreateView, "status", 409, raising=False)
        read(create(member), 500)
        assert IdempotencyKey.objects.count() == 0

    def test_compares_uploads_by_their_parts(self, member: APIClient) -> None:
        def upload(content: bytes, title: str = "one") -> Any:
            file = SimpleUploadedFile("a.txt", content)
            return member.post(
                "/api/v1/uploads",
                {"file": file, "title": title},
                format="multipart",
                headers={"Idempotency-Key": "k1"},
            )

        first, again, other = upload(b"abc"), upload(b"abc"), upload(b"abd")
        assert first.json()["size"] == 3
        assert again.content == first.content
        assert again["Idempotency-Replayed"] == "true"
        assert read(other, 422)["code"] == "key_reused"
        assert read(upload(b"abc", "two"), 422)["code"] == "key_reused"


@pytest.mark.django_db(transaction=True)
class TestRespondOnceInParallel:
    def in_parallel(self, notes: list[str], *, key: str | None = "k1") -> list[Any]:
        """One request a note, all sent at once; the width of the race is asserted."""
        ready = threading.Barrier(len(notes))
        running, widest = Counter[str](), 0

        def send(note: str) -> Any:
            nonlocal widest
            client = APIClient(raise_request_exception=False)
            client.credentials(HTTP_AUTHORIZATION=f"Test {OWNER}")
            ready.wait()
            running["now"] += 1
            widest = max(widest, running["now"])
            try:
                return create(client, key, note)
            finally:
                running["now"] -= 1
                connections.close_all()

        with ThreadPoolExecutor(len(notes)) as pool:
            responses = list(pool.map(send, notes))
        assert widest > 1
        return responses

    def test_has_one_effect_and_equal_replies(self) -> None:
        responses = self.in_parallel(["hello"] * PARALLEL)
        codes = Counter(response.status_code for response in responses)
        assert set(codes) <= {201, 409}
        assert codes[201] >= 1
        assert len({response.content for response in responses if response.status_code == 201}) == 1
        assert effects() == 1

    def test_lets_one_body_of_several_win(self) -> None:
        responses = self.in_parallel([f"n{index}" for index in range(PARALLEL)])
        codes = Counter(response.status_code for response in responses)
        assert codes[201] == 1
        assert set(codes) <= {201, 409, 422}
        assert effects() == 1

    def test_without_the_key_each_has_its_effect(self) -> None:
        """The negative control: the race is real."""
        responses = self.in_parallel([f"hello{index}" for index in range(PARALLEL)], key=None)
        assert all(response.status_code == 201 for response in responses)
        assert effects() == PARALLEL

    def test_waits_for_the_first_and_judges_afresh_if_that_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = Counter[str]()

        original = api.create_effect

        def once_refused(note: str) -> Any:
            calls["made"] += 1
            result = original(note)
            time.sleep(0.05)
            if calls["made"] == 1:
                raise errors.ConflictError(code="slot_taken")
            return result

        monkeypatch.setattr(api, "create_effect", once_refused)
        responses = self.in_parallel(["hello"] * 5)
        codes = Counter(response.status_code for response in responses)
        assert codes == {409: 1, 201: 4}
        assert effects() == 1
