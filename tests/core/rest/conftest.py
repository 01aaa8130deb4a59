"""A client of the tiny API in ``api``, and the counters of the limits begun afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

OWNER = UUID("11111111-1111-4111-8111-111111111111")
STRANGER = UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture(autouse=True)
def tiny_api(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.core.rest.api"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client() -> APIClient:
    """Anonymous; a defect is a 500 as in production, not an exception in the test."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def member() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Test {OWNER}")
    return client


@pytest.fixture
def stranger() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Test {STRANGER}")
    return client
