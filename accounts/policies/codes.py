"""One-time codes: derived, never stored. The terms of invariant 10 stand here as numbers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

LIFETIME: Final = timedelta(minutes=5)
MAX_ATTEMPTS: Final = 5
MAX_RESENDS: Final = 3
# A second request inside the gap sends the same code again, so that two taps do not make two codes.
RESEND_GAP: Final = timedelta(seconds=30)
DIGITS: Final = 6


def new_nonce() -> str:
    """128 random bits, in hexadecimal."""
    return secrets.token_hex(16)


def derive_code(*, key: str, purpose: str, challenge: UUID, nonce: str) -> str:
    """Six digits: HMAC-SHA-256(key, purpose ‖ challenge ‖ nonce) mod 10⁶.

    The parts have a separator, so that no two triples give one message.
    """
    message = f"{purpose}\x1f{challenge.hex}\x1f{nonce}".encode()
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}d}"


def same_code(given: str, right: str) -> bool:
    """Constant-time; spaces and dashes that people type between the digits do not count."""
    typed = "".join(given.split()).replace("-", "")
    return hmac.compare_digest(typed.encode(), right.encode())
