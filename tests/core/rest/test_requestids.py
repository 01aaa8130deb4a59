from __future__ import annotations

from django.test import RequestFactory
from rest_framework.request import Request

from bcc.core.rest.requestids import request_id_of


class TestRequestIdOf:
    def test_is_made_once_where_no_middleware_ran(self) -> None:
        http = RequestFactory().get("/")
        assert request_id_of(http) == request_id_of(Request(http)) == request_id_of(http)

    def test_takes_the_clients_where_it_is_sane(self) -> None:
        assert request_id_of(RequestFactory().get("/", headers={"X-Request-ID": "mine"})) == "mine"

    def test_is_made_also_without_a_request(self) -> None:
        assert request_id_of(None) != request_id_of(None)
