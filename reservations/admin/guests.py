"""Guests, and who may be let in at the gate on a day, to be printed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.errors import ConflictError
from reservations.models import Guest
from reservations.selectors.gate import gate_list


class GuestHasComeError(ConflictError):
    code = "guest_has_come"
    default_detail = gettext_lazy(
        "This guest stands in a reservation, and histories keep their people. End the dates instead."
    )


class DayForm(forms.Form):
    on = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


@admin.register(Guest)
class GuestAdmin(ClubModelAdmin[Guest]):
    list_display = ("name", "guest_class", "host", "valid_from", "valid_until", "letter_of_introduction")
    list_filter = ("guest_class", "valid_until")
    list_select_related = ("host",)
    search_fields = ("name", "host__member_no", "host__member_no_key", "host__last_name")
    autocomplete_fields = ("host",)
    ordering = ("name", "pk")
    fields = ("host", "name", "guest_class", ("valid_from", "valid_until"), "letter_of_introduction")
    change_list_template = "admin/reservations/guest/change_list.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Guest | None = None) -> tuple[str, ...]:
        return ("host",) if obj is not None else ()  # another host answers for another guest

    def delete_model(self, request: HttpRequest, obj: Guest) -> None:
        try:
            super().delete_model(request, obj)
        except ProtectedError as error:
            raise GuestHasComeError from error

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.gate_view)
        return [path("gate/", view, name="reservations_guest_gate"), *super().get_urls()]

    def gate_view(self, request: HttpRequest) -> HttpResponse:
        """The gate list of a day. Made for paper: the browser's own print leaves out all but the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = DayForm(request.GET if "on" in request.GET else {"on": clock.today()})
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Gate list"),
            "form": form,
        }
        if form.is_valid():
            on: date = form.cleaned_data["on"]
            context |= {"on": on, "made_at": clock.now(), "gate": gate_list(on)}
        return TemplateResponse(request, "admin/reservations/guest/gate.html", context)
