"""A step that staff take on a reservation: its page, its service, and what was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin, actor_of
from facilities.policies.plain_language import money
from reservations import services
from reservations.admin.forms import CancelForMemberForm, RescheduleForm, RoomForm
from reservations.admin.pages import Done, club_time, club_times, form_page, may
from reservations.admin.steps import WAIVE, Step
from reservations.models import Reservation
from reservations.policies.cancellation import Verdict, judge_cancellation
from reservations.policies.states import State
from reservations.selectors.rulebook import current_rules
from reservations.services.changes import own_terms
from reservations.services.move import at_version
from reservations.services.waivers import settle_attention


class Turn:
    """One step that somebody takes on one reservation."""

    def __init__(
        self, page: ReadOnlyModelAdmin[Reservation], request: HttpRequest, row: Reservation, step: Step
    ) -> None:
        given = request.GET.get("version", "")
        self.page, self.request, self.row, self.step = page, request, row, step
        self.version = int(given) if given.isdecimal() and len(given) < 10 else row.version
        self.by, self.now = actor_of(request), clock.now()
        self.back = page.url_of("change", row.pk)

    def answer(self) -> HttpResponse:
        match self.step.name:
            case "reschedule":
                return self._reschedule()
            case "cancel-for-member":
                return self._cancel_for_member()
            case "room":
                return self._room()
        if self.step.how == "press":
            return self.page.do(self.request, lambda: self._take(""), back=self.back)
        return self.page.ask_reason(
            self.request,
            self._take,
            title=str(self.step.label),
            question=str(self.step.question),
            lines=[self._what()],
            back=self.back,
        )

    def _what(self) -> str:
        whom = self.row.member or self.row.title or self.row.get_type_display()
        return f"{self.row.facility}, {club_times(self.row.starts_at, self.row.ends_at)}, {whom}"

    def _take(self, reason: str) -> str:
        by, now = self.by, self.now
        services_of: dict[str, Callable[[Reservation], Reservation]] = {
            "approve": lambda row: services.decide_approval(
                reservation=row, approve=True, by=by, reason=reason, now=now
            ),
            "deny": lambda row: services.decide_approval(
                reservation=row, approve=False, by=by, reason=reason, now=now
            ),
            "confirm": lambda row: services.confirm_reservation(reservation=row, by=by, now=now),
            "check-in": lambda row: services.check_in(reservation=row, by=by, now=now),
            "complete": lambda row: services.complete_reservation(reservation=row, by=by, now=now),
            "no-show": lambda row: services.mark_no_show(reservation=row, by=by, now=now, reason=reason),
            "cancel": lambda row: services.cancel_by_club(reservation=row, by=by, reason=reason, now=now),
            "attention": lambda row: settle_attention(reservation=row, by=by, reason=reason, now=now),
        }
        return self._done(services_of[self.step.name])

    def _done(self, step: Callable[[Reservation], Reservation]) -> str:
        changed = at_version(reservation=self.row, version=self.version, step=step)
        return _("Done: %(what)s is %(state)s.") % {"what": changed, "state": changed.get_state_display()}

    def _form(
        self, form: forms.BaseForm, step: Callable[[Reservation], Reservation], lines: list[str]
    ) -> HttpResponse:
        def work() -> Done:
            return self._done(step), self.back

        return form_page(
            self.page,
            self.request,
            form,
            work,
            title=str(self.step.label),
            subtitle=str(self.row),
            button=str(self.step.label),
            back=self.back,
            lines=[self._what(), *lines],
        )

    @property
    def _posted(self) -> Any:
        return self.request.POST if self.request.method == "POST" else None

    def _reschedule(self) -> HttpResponse:
        form = RescheduleForm(
            self._posted, initial={"starts_at": self.row.starts_at, "ends_at": self.row.ends_at}
        )

        def step(row: Reservation) -> Reservation:
            return services.reschedule_reservation(
                reservation=row, by=self.by, now=self.now, **form.cleaned_data
            )

        lines = [_("It keeps its terms, its state and its reference; the member is told the new time.")]
        return self._form(form, step, lines)

    def _cancel_for_member(self) -> HttpResponse:
        form = CancelForMemberForm(self._posted, may_waive=may(self.request, WAIVE))

        def step(row: Reservation) -> Reservation:
            return services.cancel_reservation(reservation=row, by=self.by, now=self.now, **form.cleaned_data)

        return self._form(form, step, [self._cost()])

    def _cost(self) -> str:
        """What cancelling now would cost by the reservation's own terms."""
        if self.row.policy_version is None:
            return _("It is the club's own and costs nothing.")
        terms = own_terms(self.row, current_rules())
        judged = judge_cancellation(
            terms=terms, state=State(self.row.state), starts_at=self.row.starts_at, now=self.now
        )
        said = {
            Verdict.FREE: _("By its terms it costs nothing now (until %(late)s)."),
            Verdict.DENIED: _(
                "By its terms it could not be cancelled after %(late)s. It has to cost nothing, or be "
                "cancelled by the club."
            ),
            Verdict.STRIKE: _("By its terms a cancellation after %(late)s costs a strike."),
            Verdict.CHARGE: _("By its terms a cancellation after %(late)s is charged %(amount)s."),
        }[judged.verdict]
        amount = money(terms.late_cancel_charge, settings.CLUB_CURRENCY)
        return said % {"late": club_time(judged.late_since), "amount": amount}

    def _room(self) -> HttpResponse:
        form = RoomForm(self._posted, initial={"room_no": self.row.room_no})

        def step(row: Reservation) -> Reservation:
            return services.assign_room(
                reservation=row, room_no=form.cleaned_data["room_no"], by=self.by, now=self.now
            )

        return self._form(form, step, [_("Only the number is written; nobody else's booking moves.")])
