from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from bcc.core.rest.conditional import etag_of
from bcc.core.rest.renderers import dump_bytes
from tests.core.rest import api
from tests.core.rest.test_problems import read

URL = "/api/v1/static"


class TestEtagOf:
    def test_is_one_quoted_text_for_the_same_bytes(self) -> None:
        assert etag_of(b"a") == etag_of(b"a") != etag_of(b"b")
        assert etag_of(b"a")[0] == etag_of(b"a")[-1] == '"'


class TestConditionalGet:
    def test_gives_the_hash_of_the_bytes(self, member: APIClient) -> None:
        response = member.get(URL)
        assert response["ETag"] == etag_of(response.content)
        assert response["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
    def test_answers_304_to_who_has_it(self, member: APIClient, form: str) -> None:
        etag = member.get(URL)["ETag"]
        response = member.get(URL, headers={"If-None-Match": form.format(etag)})
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == etag
        assert response["Cache-Control"] == "private, no-cache"
        assert response["X-Request-ID"]

    @pytest.mark.parametrize("form", ["{}", "W/{}"])
    def test_takes_a_weak_one_of_the_views_own_too(
        self, member: APIClient, monkeypatch: pytest.MonkeyPatch, form: str
    ) -> None:
        monkeypatch.setattr(api.StaticView, "default_response_headers", {"ETag": 'W/"own"'}, raising=False)
        response = member.get(URL, headers={"If-None-Match": form.format('"own"')})
        assert (response.status_code, response["ETag"]) == (304, 'W/"own"')

    @pytest.mark.parametrize("header", ['"other"', "garbage", "", 'W/"', '"' * 1000])
    def test_answers_in_full_to_who_has_not(self, member: APIClient, header: str) -> None:
        assert member.get(URL, headers={"If-None-Match": header}).status_code == 200

    def test_answers_in_full_once_it_has_changed(
        self, member: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        etag = member.get(URL)["ETag"]
        monkeypatch.setattr(api.StaticView, "shown", {"version": 2})
        response = member.get(URL, headers={"If-None-Match": etag})
        assert response.status_code == 200
        assert response["ETag"] != etag

    def test_authenticates_before_it_compares(self, member: APIClient, client: APIClient) -> None:
        etag = member.get(URL)["ETag"]
        read(client.get(URL, headers={"If-None-Match": etag}), 401)


class TestRequireIfMatch:
    def patch(self, client: APIClient, etag: str | None) -> object:
        headers = {} if etag is None else {"If-Match": etag}
        return client.patch(URL, {"note": "x"}, format="json", headers=headers)

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
    def test_takes_the_etag_that_the_get_gave(self, member: APIClient, form: str) -> None:
        etag = member.get(URL)["ETag"]
        assert etag == etag_of(dump_bytes(api.StaticView.shown))
        assert getattr(self.patch(member, form.format(etag)), "status_code", 0) == 200

    def test_refuses_a_stale_one_with_412(self, member: APIClient) -> None:
        assert read(self.patch(member, '"old"'), 412)["code"] == "precondition_failed"

    @pytest.mark.parametrize("header", [None, "", "garbage"])
    def test_asks_for_a_missing_one_with_400(self, member: APIClient, header: str | None) -> None:
        assert read(self.patch(member, header), 400)["code"] == "if_match_required"
