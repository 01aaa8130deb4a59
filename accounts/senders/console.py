from __future__ import annotations

import os
import sys
import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bcc.core import clock

FILE_NAME = "outbox.txt"
_one_at_a_time = threading.Lock()


class ConsoleSender:
    """Writes to the terminal and to ``outbox.txt`` in the data folder, for demonstrations.

    Never through logging, which redacts, is shipped and is kept. Raises ImproperlyConfigured outside
    of demo mode: the texts hold one-time codes.
    """

    def __init__(self) -> None:
        if not settings.DEMO_MODE:
            raise ImproperlyConfigured(
                "ConsoleSender shows one-time codes and is for demo mode only. "
                "Set another sender in NOTIFICATION_SENDERS."
            )

    def send(self, destination: str, subject: str, body: str) -> None:
        at = clock.now().astimezone(clock.zone()).strftime("%Y-%m-%d %H:%M:%S")
        lines = [
            f"[{at}] To {destination}: {subject}".rstrip(": "),
            *(f"    {line}" for line in body.splitlines()),
        ]
        text = "\n".join(lines) + "\n"
        with _one_at_a_time:
            sys.stdout.write(text)
            sys.stdout.flush()
            path = settings.DATA_DIR / FILE_NAME
            # For its owner only, from the first byte.
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.write(text)
