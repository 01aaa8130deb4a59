"""Reservations: found, read, and changed through the services, each with its button."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.policies.identifiers import member_number_key
from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin, actor_of
from bcc.core.walltime import day_bounds
from reservations.admin.booking_test import booking_test_page
from reservations.admin.forms import (
    BookingForm,
)
from reservations.admin.pages import Done, club_time, club_times, form_page, may
from reservations.admin.shown import say_claims, say_event, state_badge
from reservations.admin.steps import BY_NAME, FOR_MEMBERS, STEPS
from reservations.admin.turn import Turn
from reservations.models import Participant, Reservation

REFERENCE: Final = 8
HEX: Final = frozenset("0123456789abcdef")


class WhenFilter(admin.SimpleListFilter):
    """By the club's calendar; stays that reach into the day are of it."""

    title = gettext_lazy("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("today", _("today")),
            ("tomorrow", _("tomorrow")),
            ("week", _("the next 7 days")),
            ("coming", _("still to come")),
            ("past", _("over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        now, today = clock.now(), clock.today()
        if self.value() == "today":
            return _touching(queryset, today, 1)
        if self.value() == "tomorrow":
            return _touching(queryset, today + timedelta(days=1), 1)
        if self.value() == "week":
            return _touching(queryset, today, 7)
        if self.value() == "coming":
            return queryset.filter(ends_at__gt=now)
        if self.value() == "past":
            return queryset.filter(ends_at__lte=now)
        return None


def _touching(queryset: QuerySet[Any], first: date, days: int) -> QuerySet[Any]:
    since, _after = day_bounds(first, clock.zone())
    until, _after = day_bounds(first + timedelta(days=days), clock.zone())
    return queryset.filter(starts_at__lt=until, ends_at__gt=since)


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyModelAdmin[Reservation]):
    list_display = ("listed_when", "facility", "shown_state", "listed_who", "party", "deadline", "flag")
    list_display_links = ("listed_when",)
    list_filter = (WhenFilter, "state", "needs_attention", "type", "facility")
    list_select_related = ("facility", "member")
    date_hierarchy = "starts_on"
    search_fields = ("member__member_no", "member__last_name", "member__first_name", "title", "room_no")
    search_help_text = gettext_lazy("Member number or name, reference, title or room.")
    ordering = ("-starts_at", "-pk")
    change_form_template = "admin/reservations/reservation/change_form.html"
    change_list_template = "admin/reservations/reservation/change_list.html"
    fieldsets = (
        (None, {"fields": ("reference", "shown_state", "facility", "when", "who", "shown_party")}),
        (
            gettext_lazy("More"),
            {"fields": ("type", "title", "notes", "room_no", "booked", "terms", "deadline", "free_until")},
        ),
    )
    readonly_fields = (
        "reference", "shown_state", "when", "who", "shown_party", "booked", "terms", "deadline",
        "free_until",
    )  # fmt: skip

    # ------------------------------------------------------------------------------------- columns

    @admin.display(description=gettext_lazy("when"), ordering="starts_at")
    def when(self, row: Reservation) -> str:
        return club_times(row.starts_at, row.ends_at)

    @admin.display(description=gettext_lazy("when"), ordering="starts_at")
    def listed_when(self, row: Reservation) -> SafeString:
        on, _comma, times = self.when(row).partition(", ")
        return format_html("<span>{}</span><span>{}</span>", on, times)

    @admin.display(description=gettext_lazy("for"), ordering="member__last_name")
    def listed_who(self, row: Reservation) -> str | SafeString:
        if row.member is None:
            return self.who(row)
        return format_html("<span>{}</span><span>{}</span>", row.member.full_name, row.member.member_no)

    @admin.display(description=gettext_lazy("for"), ordering="member__last_name")
    def who(self, row: Reservation) -> str | SafeString:
        if row.member is None:
            return row.title or str(row.get_type_display())
        page = reverse("admin:accounts_member_change", args=(row.member_id,))
        return format_html('<a href="{}">{}</a> {}', page, row.member.full_name, row.member.member_no)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, row: Reservation) -> SafeString:
        return state_badge(row)

    @admin.display(description=gettext_lazy("deadline"), ordering="expires_at")
    def deadline(self, row: Reservation) -> str:
        return club_time(row.expires_at, "D j M, H:i") or "–"

    @admin.display(description=gettext_lazy("attention"), ordering="needs_attention")
    def flag(self, row: Reservation) -> str | SafeString:
        return format_html('<span class="warn">{}</span>', _("look at it")) if row.needs_attention else ""

    @admin.display(description=gettext_lazy("reference"))
    def reference(self, row: Reservation) -> SafeString:
        return format_html(
            '<strong>{}</strong> <span class="quiet">{}</span>', str(row.public_id)[:REFERENCE], row.public_id
        )

    @admin.display(description=gettext_lazy("party"))
    def shown_party(self, row: Reservation) -> str:
        said = _("%(party)d, of them %(guests)d guests") % {"party": row.party, "guests": row.guest_count}
        return f"{said}, " + _("%(nights)d nights") % {"nights": row.nights} if row.nights else said

    @admin.display(description=gettext_lazy("booked"))
    def booked(self, row: Reservation) -> str:
        return _("%(at)s by %(by)s") % {"at": club_time(row.created_at), "by": row.booked_by or "–"}

    @admin.display(description=gettext_lazy("terms"))
    def terms(self, row: Reservation) -> str | SafeString:
        if row.policy_version is None:
            return _("none: the club's own")
        page = reverse("admin:facilities_reservationpolicy_versions", args=(row.policy_version.policy_id,))
        return format_html('<a href="{}">{}</a>', page, row.policy_version)

    @admin.display(description=gettext_lazy("free to cancel until"))
    def free_until(self, row: Reservation) -> str:
        if row.policy_version is None or not row.occupies:
            return "–"
        cutoff = timedelta(minutes=row.policy_version.cancellation_cutoff_minutes)
        return club_time(row.starts_at - cutoff)

    # ---------------------------------------------------------------------------------- the stock pages

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, FOR_MEMBERS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reservation]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and str(match.url_name).endswith("_changelist"):
            return rows
        return rows.select_related("facility", "member__membership", "booked_by", "policy_version__policy")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also by a number in any spelling, and by the reference that members are told."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        more = Q(pk__in=[])
        if key := member_number_key(term):
            more |= Q(member__member_no_key=key)
        if bounds := reference_bounds(term):
            more |= Q(public_id__range=bounds)
        return found | queryset.filter(more), may_repeat

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Book on behalf of a member, or for the club."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BookingForm(
            request.POST if request.method == "POST" else None,
            initial={"type": "NORMAL", "party": 1, **request.GET.dict()},
            may_block=may(request, "reservations.close_facilities"),
        )

        def work() -> Done:
            made = form.book(by=actor_of(request), now=clock.now())
            text = _("Booked: %(what)s is %(state)s.") % {"what": made, "state": made.get_state_display()}
            return text, self.url_of("change", made.pk)

        return form_page(
            self,
            request,
            form,
            work,
            title=_("Book"),
            button=_("Book"),
            back=self.url_of("changelist"),
            fieldsets=form.fieldsets,
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id is not None else None
        shown: dict[str, Any] = {}
        if row is not None and self.has_view_permission(request, row):
            now = clock.now()
            shown = {
                "steps": [
                    step for step in STEPS if may(request, step.permission) and step.is_offered(row, now)
                ],
                "title": str(row.facility),
                "subtitle": club_times(row.starts_at, row.ends_at),
            }
            if may(request, "reservations.view_participant"):
                people = row.participants.select_related("member", "guest").order_by("position", "pk")
                shown["people"] = [one for one in people if one.kind != Participant.Kind.TBD]
                shown["unnamed"] = sum(one.kind == Participant.Kind.TBD for one in people)
            if may(request, "reservations.view_reservationevent"):
                shown["events"] = [say_event(event) for event in row.events.order_by("pk")]
            if may(request, "reservations.view_slotclaim"):
                shown["claims"] = say_claims(row)
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # ----------------------------------------------------------------------------------- our pages

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("test/", view(self.test_view), name="reservations_reservation_test"),
            path("<int:pk>/step/<slug:name>/", view(self.step_view), name="reservations_reservation_step"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest) -> HttpResponse:
        if not (may(request, "facilities.view_reservationpolicy") and may(request, "accounts.view_member")):
            raise PermissionDenied
        return booking_test_page(self, request)

    def step_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One of STEPS on one reservation, as it was when its page was looked at (``?version=``)."""
        step = BY_NAME.get(name)
        if step is None:
            raise Http404
        if not (self.has_view_permission(request) and may(request, step.permission)):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if step.how == "press" and request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return Turn(self, request, row, step).answer()


def reference_bounds(term: str) -> tuple[UUID, UUID] | None:
    """From and to which public id ``term`` may stand for: a whole one, or the start that members are told."""
    digits = term.lower().replace("-", "")
    if not REFERENCE <= len(digits) <= 32 or not set(digits) <= HEX:
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
