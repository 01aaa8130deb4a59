"""The one normal spelling of what people sign in with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

MAX_LENGTH = 254


def plain(text: str) -> str:
    """``text`` in compatibility form (full-width digits and letters become plain), trimmed."""
    return unicodedata.normalize("NFKC", text[:MAX_LENGTH]).strip()


def member_number_key(text: str) -> str:
    """Upper case, letters and digits only: "bcc-0001 a" → "BCC0001A". Empty if there are none."""
    return "".join(character for character in plain(text).upper() if character.isalnum())


def email_key(text: str) -> str:
    """Lower case; empty if it is not of the form of an address."""
    key = plain(text).lower()
    name, at, host = key.rpartition("@")
    return key if name and at and host and " " not in key else ""


def mobile_key(text: str, region: str) -> str:
    """E.164 of a mobile number, or empty.

    libphonenumber maps all the usual spellings to one number, but passes landlines and extensions:
    neither can receive a code.
    """
    written = plain(text)
    if not any(character.isdigit() for character in written):
        return ""
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException:
        return ""
    if number.extension or not phonenumbers.is_valid_number(number):
        return ""
    if phonenumbers.number_type(number) != PhoneNumberType.MOBILE:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a person may have meant. Empty strings match nobody."""

    usernames: tuple[str, ...]
    email: str
    mobile: str

    @property
    def key(self) -> str:
        """One text per identity, for counting attempts: the spellings of one identity share it."""
        return self.email or self.mobile or self.usernames[-1]


def parse_identifier(text: str, region: str) -> Identifier:
    """``text`` as a user name or member number, an e-mail address and a mobile number."""
    typed = plain(text).lower()
    number = member_number_key(text).lower()
    return Identifier(
        usernames=(typed, number) if number and number != typed else (typed,),
        email=email_key(text),
        mobile=mobile_key(text, region),
    )


def masked(destination: str) -> str:
    """A destination as it may be shown before sign-in is complete: "d…4@example.com", "…567"."""
    name, at, host = destination.rpartition("@")
    if at:
        return f"{name[:1]}…{name[-1:] if len(name) > 2 else ''}@{host}"
    return f"…{destination[-3:]}"
