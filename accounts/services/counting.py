"""What stands for an address where it is only counted."""

from __future__ import annotations

from django.utils.crypto import salted_hmac


def address_key(address: str) -> str:
    """64 hexadecimal digits for a mobile number or a client's address; the same ones for the same address.

    An HMAC under SECRET_KEY: a plain hash of a telephone number is found by trying all of them.
    """
    return salted_hmac("accounts.address", address, algorithm="sha256").hexdigest()
