"""Celery's way in. Each is idempotent and right after missed ticks."""

from celery import shared_task

from bcc.core import clock
from chat.services.retention import apply_retention as apply_retention_rules
from chat.services.telling import tell_away


@shared_task(name="chat.tell_of_one")
def tell_of_one(conversation: str) -> int:
    return tell_away(now=clock.now(), conversations=[int(conversation)])


@shared_task(name="chat.tell_of_several")
def tell_of_several(conversations: list[str]) -> int:
    return tell_away(now=clock.now(), conversations=[int(one) for one in conversations])


@shared_task(name="chat.tell_away")
def tell_everyone_away() -> int:
    return tell_away(now=clock.now())


@shared_task(name="chat.apply_retention")
def apply_retention() -> int:
    return apply_retention_rules(now=clock.now())
