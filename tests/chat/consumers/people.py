"""Who opens sockets in the tests, and what is counted of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services.identities import identify
from accounts.services.tokens import make_tokens
from chat.consumers import club as consumers
from chat.services.admission import issue_ticket
from tests.chat.conftest import Person
from tests.factories import make_session

InThread = Callable[..., Awaitable[Any]]


def ticket_of(person: Person) -> str:
    now = timezone.now()
    return issue_ticket(identity=identify(token=person.token, now=now), now=now).text


def user_of(person: Person) -> User:
    assert person.member.user is not None
    return person.member.user


def sampled(metric: Any) -> float:
    """The value of one metric: the whole registry would ask the database."""
    value: float = next(iter(metric.collect())).samples[0].value
    return value


def gauge() -> float:
    return sampled(consumers.OPEN)


def identity_of(person: Person) -> Any:
    return identify(token=person.token, now=timezone.now())


def another_device(person: Person) -> Person:
    now = timezone.now()
    session = make_session(user_of(person), now=now)
    tokens = make_tokens(user=user_of(person), session=session, now=now)
    return Person(person.member, session, tokens.access)


def set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
