"""The child's side: ``python -m documents.isolation.child module:function``, a JSON line in, one out.

Started by ``parent``. The limits are set before anything of the function's module is imported. Standard
output is moved away first, so that a library that prints cannot answer for us.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import IO, Any

from documents.isolation.errors import Refusal


def main() -> None:
    target, limits = sys.argv[1], json.loads(sys.argv[2])
    answers = _private_output()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, limits["bytes"])
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"])
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, 64)
    module, _, name = target.partition(":")
    work: Callable[..., Any] = getattr(importlib.import_module(module), name)
    _say(answers, {"ready": True})
    for line in sys.stdin:
        _say(answers, _answer_of(work, json.loads(line)))


def _answer_of(work: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": work(**arguments)}
    except Refusal as refusal:
        return {"refused": refusal.code, "detail": refusal.detail[:500]}
    except MemoryError:
        return {"failed": "memory", "detail": ""}
    except Exception as error:  # noqa: BLE001 - whatever a decoder throws is an answer about its file
        return {"failed": "error", "detail": f"{type(error).__name__}: {error}"[:500]}


def _private_output() -> IO[str]:
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8")


def _limit(what: int, amount: int) -> None:
    _soft, hard = resource.getrlimit(what)
    bound = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(what, (bound, bound))


def _say(answers: IO[str], answer: dict[str, Any]) -> None:
    # A parent that has gone needs no answer; the next read of the input ends the child.
    with contextlib.suppress(BrokenPipeError):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
