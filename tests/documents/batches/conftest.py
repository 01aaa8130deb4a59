from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Member, User
from bcc.core.actors import Actor
from tests.documents.batches.delivery import staff
from tests.factories import MemberFactory, MembershipFactory


@pytest.fixture
def uploader(make_staff: Callable[[str], User]) -> Actor:
    return staff(make_staff("Finance Uploader"))


@pytest.fixture
def approver(make_staff: Callable[[str], User]) -> Actor:
    return staff(make_staff("Finance Approver"))


@pytest.fixture
def household(db: None) -> Callable[[str], Member]:
    """The principal of a household with this account number."""

    def make(account_no: str) -> Member:
        return MemberFactory.create(
            membership=MembershipFactory.create(account_no=account_no), last_name=f"Of {account_no}"
        )

    return make
