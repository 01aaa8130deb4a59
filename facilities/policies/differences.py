"""What another version of a policy says otherwise, sentence by sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from facilities.policies.plain_language import TOPICS, Sentence, Topic


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is None for what is new, ``after`` for what is no longer said."""

    topic: Topic
    before: str | None
    after: str | None


def compare(before: Iterable[Sentence], after: Iterable[Sentence]) -> list[Change]:
    """The sentences that changed, in the order of the topics; one that stands in for another beside it."""
    old, new = list(before), list(after)
    return [
        change
        for topic in TOPICS
        for change in _compare_topic(
            topic,
            [one.text for one in old if one.topic == topic],
            [one.text for one in new if one.topic == topic],
        )
    ]


def _compare_topic(topic: Topic, before: list[str], after: list[str]) -> Iterator[Change]:
    for step, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step != "equal":
            for old, new in zip_longest(before[i1:i2], after[j1:j2]):
                yield Change(topic, old, new)
