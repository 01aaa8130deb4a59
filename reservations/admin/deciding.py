"""The page on which staff keep or cancel each booking that a change of the club hits.

The change itself is any form of the back office: its service raises UndecidedBookingsError, nothing is
saved, and what was filled in comes along on this page until every booking has a decision. So the
decisions and the change are one request and one transaction, and a booking that came in between
stands on the page again, undecided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin, ReasonForm, actor_of
from reservations.admin.pages import club_time
from reservations.models import Reservation
from reservations.services.closures import Decision, can_be_cancelled
from reservations.services.errors import UndecidedBookingsError

M = TypeVar("M", bound=models.Model)
MAY_CLOSE: Final = "reservations.close_facilities"

# Fields of the page, beside those of the form that comes along.
DECISION: Final = "decision-"
LISTED: Final = "decide-listed"
FILL: Final = "decide-fill"
BACK: Final = "decide-back"
REASON: Final = "decide"
_OWN: Final = ("csrfmiddlewaretoken", LISTED, FILL, BACK, f"{REASON}-reason")


@dataclass(frozen=True, slots=True)
class Row:
    """One booking on the page."""

    booking: Reservation
    name: str
    when: str
    who: str
    contacts: list[str]
    is_told: bool
    can_cancel: bool
    chosen: str
    is_new: bool
    is_kept: bool


def was_asked(request: HttpRequest) -> bool:
    """Whether the POST comes from the page itself, rather than from the form that leads to it."""
    return request.method == "POST" and LISTED in request.POST


def reason_in(request: HttpRequest) -> str:
    return request.POST.get(f"{REASON}-reason", "").strip()


def decisions_in(request: HttpRequest, *, asks_reason: bool = True) -> dict[int, Decision]:
    """What was decided; nothing while only a column was filled in, or the reason is missing."""
    if not was_asked(request) or FILL in request.POST:
        return {}
    if asks_reason and not ReasonForm(request.POST, prefix=REASON).is_valid():
        return {}
    return {pk: Decision(chosen) for pk, chosen in _chosen(request).items()}


def listed_in(request: HttpRequest) -> set[int]:
    """The keys of the bookings that stood on the page."""
    return {int(pk) for pk in request.POST.get(LISTED, "").split(",") if pk.isdecimal()}


def _chosen(request: HttpRequest) -> dict[int, str]:
    """What is ticked, and what the pressed button fills in: those that stood there, and no newer one."""
    ticked = {
        int(pk): str(value)
        for name, value in request.POST.items()
        if name.startswith(DECISION)
        and (pk := name.removeprefix(DECISION)).isdecimal()
        and value in set(Decision)
    }
    fill = request.POST.get(FILL)
    return ticked | dict.fromkeys(listed_in(request), fill) if fill in set(Decision) else ticked


class DecidingAdmin(ClubModelAdmin[M]):
    """A page whose services may ask about bookings. Who changes it must be allowed to close facilities."""

    # Closures have a reason of their own.
    asks_reason = True

    def decisions(self, request: HttpRequest) -> dict[int, Decision]:
        return decisions_in(request, asks_reason=self.asks_reason)

    def about(self, request: HttpRequest, *lines: str) -> None:
        """Keep what the change is, to be said on the page if it asks."""
        request.about = lines  # type: ignore[attr-defined]  # Django's request takes attributes of ours

    def more_buttons(self, request: HttpRequest) -> list[tuple[str, str]]:
        """(field, text) of further ways to go on from the page."""
        return []

    # ----------------------------------------------------------------------------------------- who may

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_close(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return may_close(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return may_close(request) and super().has_delete_permission(request, obj)

    # ------------------------------------------------------------------------------------------- forms

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return plain_choice(super().formfield_for_dbfield(db_field, request, **kwargs))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Deleting many at once would ask about no booking.
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

    # ---------------------------------------------------------------------------------------- the page

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and BACK in request.POST:
            text = _("Nothing is saved yet. Change what you like and save again.")
            request.refusal = [(None, text)]  # type: ignore[attr-defined]  # read by get_form
        return super().changeform_view(request, object_id, form_url, extra_context)

    def answer_to(self, request: HttpRequest, error: BaseException) -> HttpResponse | None:
        if not isinstance(error, UndecidedBookingsError):
            return super().answer_to(request, error)
        on_form = request.path.endswith(("/add/", "/change/"))
        return self.decide_page(
            request,
            error.hits,
            kept=error.kept,
            title=_("Bookings are in the way"),
            button=_("Save with these decisions"),
            back=None if on_form else self.url_of("changelist"),
        )

    def decide_page(
        self,
        request: HttpRequest,
        hits: Sequence[Reservation],
        *,
        title: str,
        button: str,
        back: str | None,
        kept: Collection[int] = (),
        question: str = "",
    ) -> TemplateResponse:
        """List ``hits`` with a decision for each, as far as there is one, and all that was sent before.

        ``back`` is where who changes their mind goes; None is the form that was filled in.
        """
        asked, filled = was_asked(request), FILL in request.POST
        rows = self._rows(request, hits, kept)
        open_rows = [row for row in rows if not row.chosen]
        problems = []
        if asked and not filled and open_rows:
            text = ngettext(
                "Nothing was saved: %(n)d booking has no decision yet.",
                "Nothing was saved: %(n)d bookings have no decision yet.",
                len(open_rows),
            )
            problems.append(text % {"n": len(open_rows)})
        reason = self._reason_form(request) if self.asks_reason and rows else None
        if reason is not None and reason.errors:
            problems.append(_("Nothing was saved: members need a reason. Write it below the list."))
        new = sum(row.is_new for row in rows)
        if new:
            text = ngettext(
                "%(n)d booking came after this list was shown. It is marked as new.",
                "%(n)d bookings came after this list was shown. They are marked as new.",
                new,
            )
            problems.append(text % {"n": new})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": title,
            "question": question or _question(len(rows)),
            "about": getattr(request, "about", ()),
            "problems": problems,
            "rows": rows,
            "undecided": len(open_rows),
            "listed": ",".join(str(row.booking.pk) for row in rows),
            "reason": reason,
            "button": button,
            "more_buttons": self.more_buttons(request) if rows else [],
            "back": back,
            "carried": carried(request),
            "names": {"decision": DECISION, "listed": LISTED, "fill": FILL, "back": BACK},
            "printed_at": clock.now(),
        }
        return TemplateResponse(request, "admin/reservations/decide.html", context)

    def _reason_form(self, request: HttpRequest) -> ReasonForm:
        if was_asked(request) and FILL not in request.POST:
            form = ReasonForm(request.POST, prefix=REASON)
        else:
            form = ReasonForm(initial={"reason": reason_in(request)}, prefix=REASON)
        # The list comes first; the page does not jump past it.
        form.fields["reason"].widget.attrs.pop("autofocus", None)
        return form

    def _rows(self, request: HttpRequest, hits: Sequence[Reservation], kept: Collection[int]) -> list[Row]:
        chosen, listed, asked = _chosen(request), listed_in(request), was_asked(request)
        by = actor_of(request)
        return [
            _row(
                booking,
                chosen=chosen.get(booking.pk, Decision.KEEP.value if booking.pk in kept else ""),
                can_cancel=can_be_cancelled(booking, by=by),
                is_new=asked and booking.pk not in listed,
                is_kept=booking.pk in kept,
            )
            for booking in hits
        ]


def plain_choice(field: Any) -> Any:
    """The choice without its buttons: adding a facility out of the form of a closure is nobody's way."""
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    return field


def may_close(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(MAY_CLOSE))


def carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What was sent beside the page's own fields, to be sent along again."""
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        if name not in _OWN and not name.startswith(DECISION)
        for value in values
    ]


def _question(hits: int) -> str:
    text = ngettext(
        "This hits %(n)d booking. Decide whether to keep or to cancel it; until then nothing is saved.",
        "This hits %(n)d bookings. Decide for each whether to keep or to cancel it; "
        "until then nothing is saved.",
        hits,
    )
    return text % {"n": hits}


def _row(booking: Reservation, *, chosen: str, can_cancel: bool, is_new: bool, is_kept: bool) -> Row:
    member = booking.member
    user = member.user if member is not None else None
    if not can_cancel and chosen == Decision.CANCEL:
        chosen = ""
    return Row(
        booking=booking,
        name=booking.title if member is None else member.full_name,
        when=span_text(booking),
        who=member.member_no if member is not None else str(booking.get_type_display()),
        contacts=[str(way) for way in (user.mobile, user.email) if way] if user is not None else [],
        is_told=user is not None,
        can_cancel=can_cancel,
        chosen=chosen,
        is_new=is_new,
        is_kept=is_kept,
    )


def span_text(booking: Reservation) -> str:
    """“Tue 2 Jun 2026, 10:00 – 11:00” by the clock of the club; both dates where it ends on another."""
    same_day = clock.local_date(booking.starts_at) == clock.local_date(booking.ends_at)
    until = club_time(booking.ends_at, "H:i" if same_day else "D j M Y, H:i")
    return f"{club_time(booking.starts_at)} – {until}"
