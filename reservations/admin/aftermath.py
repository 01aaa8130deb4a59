"""Strikes and charge lines: looked at, and set aside with a reason."""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin, actor_of
from reservations.admin.pages import club_time, may
from reservations.admin.steps import WAIVE
from reservations.models import ChargeLine, Strike
from reservations.services.waivers import waive_charge, waive_strike


class WaivedFilter(admin.SimpleListFilter):
    title = gettext_lazy("waived")
    parameter_name = "waived"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", _("stands")), ("yes", _("waived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:  # type: ignore[type-arg]  # of either model
        if self.value() in ("no", "yes"):
            return queryset.filter(waived_at__isnull=self.value() == "no")
        return None


class WaivableAdmin(ReadOnlyModelAdmin[Strike | ChargeLine]):
    """Rows that cost a member something. One button: waive, with a reason, by who may."""

    change_form_template = "admin/reservations/waivable/change_form.html"
    question: str | Promise = ""

    def get_urls(self) -> list[URLPattern]:
        name = f"reservations_{self.model._meta.model_name}_waive"
        view = self.admin_site.admin_view(self.waive_view)
        return [path("<int:pk>/waive/", view, name=name), *super().get_urls()]

    def waive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not (self.has_view_permission(request) and may(request, WAIVE)):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        return self.ask_reason(
            request,
            lambda reason: self.waive(request, row, reason),
            title=_("Waive"),
            question=str(self.question),
            lines=[f"{row}", self.booking_text(row)],
            back=self.url_of("change", pk),
        )

    def waive(self, request: HttpRequest, row: Strike | ChargeLine, reason: str) -> str:
        raise NotImplementedError

    def booking_text(self, row: Strike | ChargeLine) -> str:
        return f"{row.reservation.facility}, {club_time(row.reservation.starts_at)}"

    @admin.display(description=gettext_lazy("reservation"))
    def booking(self, row: Strike | ChargeLine) -> SafeString:
        page = reverse("admin:reservations_reservation_change", args=(row.reservation_id,))
        return format_html('<a href="{}">{}</a>', page, self.booking_text(row))

    @admin.display(description=gettext_lazy("stands"), boolean=True, ordering="waived_at")
    def stands(self, row: Strike | ChargeLine) -> bool:
        return not row.is_waived


@admin.register(Strike)
class StrikeAdmin(WaivableAdmin):
    list_display = ("at", "member", "reason", "booking", "stands")
    list_filter = (WaivedFilter, "at")
    list_select_related = ("member", "reservation__facility")
    search_fields = ("member__member_no", "member__member_no_key", "member__last_name", "reason")
    ordering = ("-at", "-pk")
    fields = ("member", "reason", "at", "booking", "waived_at", "waived_by", "waive_reason")
    readonly_fields = ("booking",)
    question = gettext_lazy(
        "Waive this strike? A hold on booking that it brought goes too, if the other strikes do not reach."
    )

    def waive(self, request: HttpRequest, row: Strike | ChargeLine, reason: str) -> str:
        lifted = waive_strike(strike=cast(Strike, row), by=actor_of(request), reason=reason, now=clock.now())
        if lifted:
            return _("The strike is waived, and the hold on booking that it brought is lifted.")
        return _("The strike is waived.")


@admin.register(ChargeLine)
class ChargeLineAdmin(WaivableAdmin):
    list_display = ("at", "membership", "description", "amount", "booking", "stands", "exported_at")
    list_filter = (WaivedFilter, ("exported_at", admin.EmptyFieldListFilter), "at")
    list_select_related = ("membership", "reservation__facility")
    search_fields = ("membership__account_no", "membership__members__member_no", "description")
    ordering = ("-at", "-pk")
    fields = (
        "membership", "description", "amount", "at", "booking", "exported_at", "waived_at", "waived_by",
        "waive_reason",
    )  # fmt: skip
    readonly_fields = ("booking",)
    question = gettext_lazy("Waive this charge? It is then not given to Finance.")

    def waive(self, request: HttpRequest, row: Strike | ChargeLine, reason: str) -> str:
        waive_charge(line=cast(ChargeLine, row), by=actor_of(request), reason=reason, now=clock.now())
        return _("The charge is waived, and Finance does not get it.")
