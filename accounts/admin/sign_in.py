"""The sign-in page of the back office: as slow for who guesses as the API is."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.selectors.people import parsed_identifier
from accounts.services.patience import forget_failures, note_failure, seconds_to_wait
from bcc.core import clock
from bcc.core.addresses import client_address
from bcc.core.errors import BusyError


class StaffSignInForm(AdminAuthenticationForm):
    """A run of wrong passwords of one name from one address waits longer each time; so nobody is locked
    out by a stranger. Without counters nobody signs in."""

    def clean(self) -> dict[str, Any]:
        key = self._key()
        try:
            wait = 0 if key is None else seconds_to_wait(key=key, now=clock.now())
            if wait:
                text = _("Too many tries. Wait %(seconds)d seconds, and try again.")
                raise ValidationError(text % {"seconds": wait}, code="too_many_tries")
            try:
                cleaned: dict[str, Any] = super().clean()
            except ValidationError:
                if key is not None:
                    note_failure(key=key, now=clock.now())
                raise
            if key is not None:
                forget_failures(key=key)
        except BusyError as error:
            raise ValidationError(str(error.detail), code="busy") from error
        return cleaned

    def _key(self) -> str | None:
        name = self.cleaned_data.get("username")
        if not name or self.request is None:
            return None
        return f"staff:{parsed_identifier(name).key}|{client_address(self.request)}"
