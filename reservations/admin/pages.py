"""A page with a form of ours, in the look of the stock ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ClubModelAdmin, told
from bcc.core.walltime import wall_instant

Fieldsets = Sequence[tuple[str | Promise | None, dict[str, Any]]]
# Nothing of a club is outside of them, and reckoning at the ends of the calendar fails.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
# What was done, and where to go now.
Done = tuple[str, str]


class MomentField(forms.DateTimeField):
    """A wall time of the club, picked in the browser's own calendar; the first where a clock doubles it."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    default_error_messages = {
        "skipped": _("The clock skips this time of the day. Choose another one."),
        "invalid": _("This is no date and time. Write it as in 2026-12-24 07:00."),
    }

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values or isinstance(value, datetime):
            return value or None
        try:
            wall = datetime.fromisoformat(str(value).strip())
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        instant = wall_instant(wall.date(), wall.time(), clock.zone())
        if instant is None:
            raise forms.ValidationError(self.error_messages["skipped"], code="skipped")
        return instant


def club_time(instant: datetime | None, form: str = "D j M Y, H:i") -> str:
    """An instant as it is read at the club; "" for none."""
    return "" if instant is None else date_format(instant.astimezone(clock.zone()), form)


def club_times(starts_at: datetime, ends_at: datetime) -> str:
    """“Tue 1 Dec 2026, 17:00 – 18:00”; the date again only where it is another."""
    same_day = clock.local_date(starts_at) == clock.local_date(ends_at)
    return f"{club_time(starts_at)} – {club_time(ends_at, 'H:i' if same_day else 'D j M, H:i')}"


def refuse(form: forms.BaseForm, error: BaseException) -> None:
    """Write on the form what a service refused. Raises ``error`` again if it is a defect."""
    for field, detail in told(error):
        form.add_error(field if field in form.fields else None, detail)
    alternatives = getattr(error, "alternatives", ())
    if alternatives:
        said = "; ".join(f"{one['name']}, {club_time(one['starts_at'])}" for one in alternatives)
        form.add_error(None, _("These would pass: %(said)s.") % {"said": said})


def laid_out(form: forms.BaseForm, fieldsets: Fieldsets | None) -> AdminForm:
    """The form for the admin's own fieldset template; in one group unless said."""
    shown: Any = fieldsets if fieldsets is not None else [(None, {"fields": list(form.fields)})]
    whatever: Any = form  # it is made for a model's form, and asks for no more than a form has
    return AdminForm(whatever, shown, {})


def form_page(
    page: ClubModelAdmin[Any],
    request: HttpRequest,
    form: forms.BaseForm,
    work: Callable[[], Done],
    *,
    title: str,
    button: str,
    back: str,
    fieldsets: Fieldsets | None = None,
    subtitle: str = "",
    lines: Sequence[str] = (),
    template: str = "admin/reservations/form.html",
    **context: Any,
) -> HttpResponse:
    """Show ``form``; when it was sent and is valid, ``work`` and go where it says.

    A refusal of ``work`` stands on the form, with everything as it was typed. ``lines`` are what staff
    should know before they press the button.
    """
    if request.method == "POST" and form.is_valid():
        try:
            text, whither = work()
        except REFUSALS as error:
            refuse(form, error)
        else:
            page.message_user(request, text, messages.SUCCESS)
            return HttpResponseRedirect(whither)
    return TemplateResponse(
        request,
        template,
        {
            **page.admin_site.each_context(request),
            "opts": page.model._meta,
            "title": title,
            "subtitle": subtitle,
            "adminform": laid_out(form, fieldsets),
            "form": form,
            "errors": form.errors,
            "media": form.media,
            "button": button,
            "back": back,
            "lines": lines,
            **context,
        },
    )


def may(request: HttpRequest, permission: str) -> bool:
    """Whether who is signed in holds "app.codename"."""
    user: Any = request.user
    return bool(user.has_perm(permission))
