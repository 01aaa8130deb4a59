"""Columns and filters that several lists share: what a row is for, and whether it counts today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Protocol

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from facilities.models.dates import Dated
from facilities.models.facility import Facility


class Scoped(Protocol):
    """A rule of one facility, of a kind, or of everything."""

    @property
    def facility(self) -> Facility | None: ...
    def get_kind_display(self) -> str: ...


def state_label(css: str, text: str) -> SafeString:
    """A short state as a coloured label; the words say it too, for who sees no colour."""
    return format_html('<span class="state {}">{}</span>', css, text)


def scope_text(rule: Scoped) -> str:
    """What a rule is for: the name of a facility, a kind, or everything."""
    if rule.facility is not None:
        return rule.facility.name
    return str(rule.get_kind_display()) or _("everything")


def validity_label(row: Dated, on: date) -> SafeString:
    """Whether ``row`` is valid on ``on``, and from or until when."""
    if row.valid_until is not None and row.valid_until < on:
        return state_label("over", _("over since %(date)s") % {"date": _day(row.valid_until)})
    if row.valid_from is not None and row.valid_from > on:
        return state_label("draft", _("from %(date)s on") % {"date": _day(row.valid_from)})
    if row.valid_until is not None:
        return state_label("in-force", _("until %(date)s") % {"date": _day(row.valid_until)})
    return state_label("in-force", _("always"))


def _day(on: date) -> str:
    return date_format(on)


class ValidityFilter(admin.SimpleListFilter):
    """Dated rows by today's date at the club."""

    title = gettext_lazy("dates")
    parameter_name = "dates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("now", _("valid today")), ("later", _("valid later")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = clock.today()
        match self.value():
            case "now":
                return queryset.filter(
                    Q(valid_from__isnull=True) | Q(valid_from__lte=today),
                    Q(valid_until__isnull=True) | Q(valid_until__gte=today),
                )
            case "later":
                return queryset.filter(valid_from__gt=today)
            case "over":
                return queryset.filter(valid_until__lt=today)
        return queryset
