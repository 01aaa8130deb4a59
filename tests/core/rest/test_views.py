from __future__ import annotations

from typing import Any

import django_filters
import pytest
from rest_framework.test import APIRequestFactory

from bcc.core.models import IdempotencyKey
from tests.core.rest.api import ListView


class KeyFilters(django_filters.FilterSet):
    class Meta:
        model = IdempotencyKey
        fields = ("route",)


class FilteredView(ListView):
    query_serializer = None
    filterset_class = KeyFilters


@pytest.mark.django_db
class TestStrictQueryMixin:
    def status(self, query: str, **view: Any) -> int:
        return int(FilteredView.as_view(**view)(APIRequestFactory().get(f"/x?{query}")).status_code)

    @pytest.mark.parametrize("query", ["", "route=x", "page_size=5&route=x"])
    def test_knows_the_parameters_of_filters_and_paging(self, query: str) -> None:
        assert self.status(query) == 200

    def test_refuses_the_others(self) -> None:
        assert self.status("status=1") == 400

    def test_knows_no_paging_where_there_is_none(self) -> None:
        assert self.status("page_size=5", pagination_class=None) == 400
