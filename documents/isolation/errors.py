"""What comes of a child but an answer."""

from __future__ import annotations

from typing import Literal


class Refusal(Exception):  # noqa: N818 - an answer about the file, not an error of the child
    """The file is not what it must be. ``code`` is stable, ``detail`` for the log, in English.

    A function that runs in a child raises it; ``call`` raises it again in the parent.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


class ChildFailedError(Exception):
    """The child ended, or was ended, without an answer.

    ``why`` is ``time`` or ``memory`` when it met that limit, ``crash`` for a signal of its own, and
    ``error`` for an exception that nobody expected; ``detail`` is for the log.
    """

    def __init__(self, why: Literal["time", "memory", "crash", "error"], detail: str = "") -> None:
        super().__init__(why, detail)
        self.why, self.detail = why, detail
