"""The front desk's page: the club on a day, what is free and who comes, and everything done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from bcc.core.errors import RuleError
from facilities.models import Kind
from reservations.admin import today_desk as desk
from reservations.admin.today_forms import ActForm, BlockForm, BookForm
from reservations.admin.today_panel import Panel, booking_panel, slot_panel
from reservations.models import Reservation, Today
from reservations.policies.states import State
from reservations.selectors.desk import find_members
from reservations.selectors.today import Day, get_day
from reservations.services.errors import SlotTakenError
from reservations.services.venue import venue_code

WORK_THE_DESK: Final = "reservations.work_the_desk"
FIRST_YEAR, LAST_YEAR = 2000, 2100
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Where:
    """What of the club the page shows. It stands in the address, so that it can be kept and sent."""

    on: date
    area: str = ""
    kind: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> Where:
        on = _read_date(request.GET.get("date", "")) or clock.today()
        kind = request.GET.get("kind", "")
        return cls(on, request.GET.get("area", "")[:80], kind if kind in Kind.values else "")

    def query(self, on: date | None = None) -> str:
        asked = {"date": (on or self.on).isoformat(), "area": self.area, "kind": self.kind}
        return urlencode({name: value for name, value in asked.items() if value})


@admin.register(Today)
class TodayAdmin(ReadOnlyModelAdmin[Today]):
    """One page instead of a list. Every change goes through a service of reservations."""

    ordering = ("starts_at", "pk")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "",
                self.admin_site.admin_view(self.changelist_view),
                name="reservations_today_changelist",
            ),
            path("members/", self.admin_site.admin_view(self.members), name="reservations_today_members"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Today | None = None) -> bool:
        return request.user.has_perm(WORK_THE_DESK)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def members(self, request: HttpRequest) -> JsonResponse:
        """Whom the desk may mean while it types; numbers and names only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        people = find_members(request.GET.get("q", "")[:120])
        found = [{"number": one.member_no, "name": one.full_name} for one in people]
        return JsonResponse({"members": found}, headers={"Cache-Control": "no-store"})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        where, now = Where.read(request), clock.now()
        if request.method == "POST":
            return self._do(request, where, now)
        day = get_day(on=where.on, now=now, area=where.area, kind=where.kind)
        return self._page(request, where, day, self._asked(request, day, now))

    # ------------------------------------------------------------------------------ what is opened

    def _asked(self, request: HttpRequest, day: Day, now: datetime) -> Panel | None:
        """The panel that the address names; a message where it is not on this page."""
        panel: Panel | None = None
        if (public_id := _read_uuid(request.GET.get("booking"))) is not None:
            panel = booking_panel(day=day, public_id=public_id, may=request.user.has_perm, now=now)
        elif (facility := _read_uuid(request.GET.get("facility"))) is not None:
            at = _read_instant(request.GET.get("at"))
            panel = slot_panel(day=day, facility=facility, at=at, may=request.user.has_perm)
        else:
            return None
        if panel is None:
            self.message_user(
                request, _("That is not on this page any more. Choose it again."), messages.WARNING
            )
        return panel

    # --------------------------------------------------------------------------------- what is done

    def _do(self, request: HttpRequest, where: Where, now: datetime) -> HttpResponse:
        day = get_day(on=where.on, now=now, area=where.area, kind=where.kind)
        what = request.POST.get("do", "")
        panel: Panel | None = None
        if what in ("book", "block"):
            facility = _read_uuid(request.POST.get(f"{what}-facility"))
            at = _read_instant(request.POST.get(f"{what}-starts_at"))
            if facility is not None:
                panel = slot_panel(day=day, facility=facility, at=at, may=request.user.has_perm)
            if panel is not None:
                return (self._book if what == "book" else self._block)(request, where, day, panel, now)
        elif what in desk.STEPS:
            return self._step(request, where, day, desk.STEPS[what], now)
        self.message_user(request, _("That is not on this page any more. Choose it again."), messages.ERROR)
        return self._back(where)

    def _book(
        self, request: HttpRequest, where: Where, day: Day, panel: Panel, now: datetime
    ) -> HttpResponse:
        if panel.book is None or panel.slot is None:
            raise PermissionDenied
        panel.book = form = BookForm(panel.place, panel.slot.starts_at, request.POST)
        if not form.is_valid():
            return self._page(request, where, day, panel)
        member = desk.choose_member(form)
        if isinstance(member, list) or "find" in request.POST:
            found = member if isinstance(member, list) else [member]
            if not found:
                form.add_error("member", _("Nobody is called so. Try the number, or a part of the name."))
            panel.refused = desk.Refused(candidates=found)
            return self._page(request, where, day, panel)
        try:
            row = desk.book(
                form=form,
                place=panel.place,
                member=member,
                take=request.POST.get("take", ""),
                by=actor_of(request),
                principal=request.user.public_id,  # type: ignore[union-attr]  # staff have an account
                now=now,
            )
        except (RuleError, SlotTakenError) as error:
            panel.refused = desk.explain(error)
        except REFUSALS as error:
            panel.errors = [detail for _field, detail in told(error)]
        else:
            row = Reservation.objects.select_related("facility", "member").get(pk=row.pk)
            self.message_user(request, _booked(row), messages.SUCCESS)
            return self._back(where, row)
        # What is taken may have changed while the form was filled in.
        day = get_day(on=where.on, now=now, area=where.area, kind=where.kind)
        return self._page(request, where, day, panel)

    def _block(
        self, request: HttpRequest, where: Where, day: Day, panel: Panel, now: datetime
    ) -> HttpResponse:
        if panel.slot is None:
            raise PermissionDenied
        panel.block = form = BlockForm(panel.place, panel.slot, request.POST)
        if not form.is_valid():
            return self._page(request, where, day, panel)
        try:
            row = desk.block(
                form=form,
                place=panel.place,
                by=actor_of(request),
                principal=request.user.public_id,  # type: ignore[union-attr]  # staff have an account
                now=now,
            )
        except REFUSALS as error:
            form.add_error(None, [detail for _field, detail in told(error)])
            day = get_day(on=where.on, now=now, area=where.area, kind=where.kind)
            interval = form.interval
            panel.hits = [
                one
                for one in day.bookings
                if interval is not None
                and one.is_standing
                and one.row.interval.overlaps(interval)
                and {space.id for space in one.facility.spaces}
                & {space.id for space in panel.place.facility.spaces}
            ]
            return self._page(request, where, day, panel)
        self.message_user(
            request,
            _("%(what)s: %(facility)s is taken, %(when)s.")
            % {"what": row.title, "facility": panel.place.facility.name, "when": _when(row)},
            messages.SUCCESS,
        )
        return self._back(where, row)

    def _step(
        self, request: HttpRequest, where: Where, day: Day, step: desk.Step, now: datetime
    ) -> HttpResponse:
        form = ActForm(request.POST)
        one = day.booking(form.cleaned_data["booking"]) if form.is_valid() else None
        if one is None:
            self.message_user(
                request, _("That is not on this page any more. Choose it again."), messages.ERROR
            )
            return self._back(where)
        said = form.cleaned_data
        if step.needs_reason and not said["reason"].strip():
            form.add_error("reason", _("Say why. It stands in the history, and the member is told."))
        else:
            try:
                may = request.user.has_perm
                desk.require_allowed(step, may, waives_cost=said["waive_cost"])
                text = desk.act(
                    step=step,
                    row=one.row,
                    version=said["version"],
                    by=actor_of(request),
                    now=now,
                    said=said,
                )
            except REFUSALS as error:
                for _field, detail in told(error):
                    form.add_error(None, detail)
            else:
                self.message_user(request, text, messages.SUCCESS)
                return self._back(where, one.row, from_list="from_list" in request.POST)
        day = get_day(on=where.on, now=now, area=where.area, kind=where.kind)
        panel = booking_panel(day=day, public_id=one.row.public_id, may=request.user.has_perm, now=now)
        if panel is not None:
            panel.act = form
        return self._page(request, where, day, panel)

    # --------------------------------------------------------------------------------- what is shown

    def _back(self, where: Where, row: Reservation | None = None, *, from_list: bool = False) -> HttpResponse:
        """To the page as it was, at the row or the cell that the work began from."""
        anchor = ""
        on = where.on
        if row is not None and from_list:
            anchor = f"#list-{row.public_id}"
        elif row is not None:
            anchor = f"#{cell_id(row.facility_id, row.starts_at)}"
            if not (row.starts_on <= on <= row.ends_at.astimezone(clock.zone()).date()):
                on = row.starts_on
        return HttpResponseRedirect(f"{self.url_of('changelist')}?{where.query(on)}{anchor}")

    def _page(self, request: HttpRequest, where: Where, day: Day, panel: Panel | None) -> HttpResponse:
        today = clock.today()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Today") if where.on == today else _("The day"),
            "subtitle": None,
            "opts": self.model._meta,
            "is_nav_sidebar_enabled": False,
            "where": where,
            "query": where.query(),
            "day": day,
            "areas": [
                (area, [(place, venue_code(place.facility, where.on)) for place in area.places])
                for area in day.areas
            ],
            "panel": panel,
            "kinds": Kind.choices,
            "is_today": where.on == today,
            "previous": where.query(where.on - DAY),
            "next": where.query(where.on + DAY),
            "to_today": where.query(today),
            "may_book": request.user.has_perm(desk.BOOK_FOR_MEMBERS),
            "may_waive_cost": request.user.has_perm(desk.WAIVE_COST),
        }
        return TemplateResponse(
            request,
            "admin/reservations/today.html",
            context,
            headers={"Cache-Control": "no-store"},
        )


def cell_id(facility_id: int, at: datetime) -> str:
    """The name of a cell of the board; the same whether it is free or taken."""
    return f"at-{facility_id}-{at.astimezone(clock.zone()):%d%H%M}"


def _booked(row: Reservation) -> str:
    said = {"who": desk.who(row), "facility": row.facility.name, "when": _when(row)}
    if row.state == State.CONFIRMED:
        return _("Booked for %(who)s: %(facility)s, %(when)s.") % said
    said["state"] = row.get_state_display()
    return _("Booked for %(who)s: %(facility)s, %(when)s. It is %(state)s.") % said


def _when(row: Reservation) -> str:
    zone = clock.zone()
    starts, ends = row.starts_at.astimezone(zone), row.ends_at.astimezone(zone)
    last = date_format(ends, "H:i") if starts.date() == ends.date() else date_format(ends, "D j M")
    return _("%(first)s to %(last)s") % {"first": date_format(starts, "D j M, H:i"), "last": last}


def _read_date(text: str) -> date | None:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if FIRST_YEAR <= on.year <= LAST_YEAR else None


def _read_uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _read_instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None
