"""Closures: in force only once every booking that they hit was kept or cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import actor_of
from facilities.models import Closure, Facility, Publishing, Space
from reservations import services
from reservations.admin.deciding import DecidingAdmin
from reservations.admin.pages import MomentField, club_time
from reservations.selectors.closures import counting_hits

DRAFT: Final = "_draft"


class ClosureForm(forms.ModelForm[Closure]):
    starts_at = MomentField(label=gettext_lazy("From"))
    ends_at = MomentField(label=gettext_lazy("Until"))

    class Meta:
        model = Closure
        fields = ("facility", "space", "starts_at", "ends_at", "reason", "handling")
        help_texts = {"reason": gettext_lazy("Members read it in the app and in what they are told.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is retired is closed for good; an old closure of it still shows what it was for.
        if "facility" in self.fields and "space" in self.fields:
            its_facility = Q(pk__in=[self.instance.facility_id or 0])
            facilities = Facility.objects.filter(~Q(state=Publishing.RETIRED) | its_facility)
            self.fields["facility"].queryset = facilities.order_by("name", "pk")  # type: ignore[attr-defined]  # a choice of rows
            spaces = Space.objects.filter(Q(is_retired=False) | Q(pk__in=[self.instance.space_id or 0]))
            self.fields["space"].queryset = spaces.order_by("name", "pk")  # type: ignore[attr-defined]  # a choice of rows

    def clean_ends_at(self) -> datetime:
        ends_at: datetime = self.cleaned_data["ends_at"]
        if ends_at <= clock.now():
            raise forms.ValidationError(_("This is over already. Choose a later end."))
        return ends_at


class WhenFilter(admin.SimpleListFilter):
    title = gettext_lazy("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("coming", _("now and later")), ("draft", _("not in force")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Closure]) -> QuerySet[Closure]:
        match self.value():
            case "coming":
                return queryset.filter(confirmed_at__isnull=False, ends_at__gt=clock.now())
            case "draft":
                return queryset.filter(confirmed_at__isnull=True)
            case "over":
                return queryset.filter(confirmed_at__isnull=False, ends_at__lte=clock.now())
        return queryset


@admin.register(Closure)
class ClosureAdmin(DecidingAdmin[Closure]):
    form = ClosureForm
    list_display = ("target", "when", "reason", "handling", "standing", "bookings_hit")
    list_filter = (WhenFilter, "facility")
    list_select_related = ("facility", "space")
    search_fields = ("reason", "facility__name", "space__name")
    ordering = ("-starts_at", "-pk")
    fieldsets = (
        (
            None,
            {
                "fields": ("facility", "space"),
                "description": gettext_lazy(
                    "Choose a facility; or a space, which closes every facility that stands on it."
                ),
            },
        ),
        (gettext_lazy("When and why"), {"fields": ("starts_at", "ends_at", "reason")}),
        (
            gettext_lazy("Bookings inside"),
            {
                "fields": ("handling",),
                "description": gettext_lazy(
                    "If there are any, the next page asks about each one. Members whose booking is cancelled "
                    "are always told; this says whether those whose booking is kept are told the reason too."
                ),
            },
        ),
    )
    asks_reason = False
    change_form_template = "admin/reservations/place_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        return counting_hits(super().get_queryset(request), now=clock.now())

    # ------------------------------------------------------------------------------------------ columns

    @admin.display(description=gettext_lazy("what"), ordering="facility__name")
    def target(self, closure: Closure) -> str:
        if closure.facility is not None:
            return closure.facility.name
        return _("%(space)s and all on it") % {"space": closure.space}

    @admin.display(description=gettext_lazy("when"), ordering="starts_at")
    def when(self, closure: Closure) -> str:
        return when(closure)

    @admin.display(description=gettext_lazy("in force"))
    def standing(self, closure: Closure) -> SafeString:
        css, text = standing_of(closure, clock.now())
        return format_html('<span class="state {}">{}</span>', css, text)

    @admin.display(description=gettext_lazy("bookings hit"))
    def bookings_hit(self, closure: Closure) -> int | str:
        hits: int = closure.hits  # type: ignore[attr-defined]  # annotated by get_queryset
        return hits or "–"

    # -------------------------------------------------------------------------------------- stock pages

    def has_change_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        """What is over is history."""
        return super().has_change_permission(request, obj) and (obj is None or obj.ends_at > clock.now())

    def has_delete_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        """One that was in force is lifted instead, so that it can be seen that there was one."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.confirmed_at is None)

    def save_model(self, request: HttpRequest, obj: Closure, form: Any, change: bool) -> None:
        if DRAFT in request.POST and obj.confirmed_at is None:
            obj.save()
            text = _("It is a draft and closes nothing yet. Save it again to decide and put it in force.")
            self.message_user(request, text, messages.WARNING)
            return
        self.about(request, f"{self.target(obj)}: {when(obj)}", obj.reason)
        request.was_in_force = obj.confirmed_at is not None  # type: ignore[attr-defined]  # for more_buttons
        decisions = self.decisions(request)
        services.close(closure=obj, decisions=decisions, by=actor_of(request), now=clock.now())
        if decisions:
            self.message_user(request, _("The bookings were kept and cancelled as you decided."))

    def more_buttons(self, request: HttpRequest) -> list[tuple[str, str]]:
        if getattr(request, "was_in_force", False):
            return []
        return [(DRAFT, _("Decide later: save as a draft"))]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        closure = self.get_object(request, object_id) if object_id is not None else None
        shown: dict[str, Any] = {}
        if closure is not None:
            css, text = standing_of(closure, clock.now())
            shown = {"standing": {"css": css, "text": text}}
            if self._can_be_lifted(request, closure):
                shown["tools"] = [(_("Lift it"), self.url_of("lift", closure.pk))]
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # ------------------------------------------------------------------------------------------ lifting

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.lift_view)
        return [path("<int:pk>/lift/", view, name="facilities_closure_lift"), *super().get_urls()]

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        closure = self.get_object(request, str(pk))
        if closure is None:
            raise Http404
        if not self.has_change_permission(request, closure):
            raise PermissionDenied
        if not self._can_be_lifted(request, closure):
            text = _("It is not in force, so there is nothing to lift. Delete the draft if nobody needs it.")
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(self.url_of("change", pk))
        if request.method == "POST":

            def work() -> str:
                services.lift_closure(closure=closure, now=clock.now())
                if closure.pk is not None:  # one that had not begun is gone
                    self.log_change(request, closure, "Lifted.")
                return _("The closure was lifted. Members can book the time again.")

            return self.do(request, work, back=self.url_of("changelist"))
        self.about(request, f"{self.target(closure)}: {when(closure)}", closure.reason)
        return self.decide_page(
            request,
            [],
            title=_("Lift the closure"),
            question=_(
                "From now on members can book the time again. Bookings that the closure cancelled stay "
                "cancelled: tell the members if you want them back."
            ),
            button=_("Lift it now"),
            back=self.url_of("change", pk),
        )

    def _can_be_lifted(self, request: HttpRequest, closure: Closure) -> bool:
        return closure.confirmed_at is not None and self.has_change_permission(request, closure)


def when(closure: Closure) -> str:
    """From and until by the clock of the club; the date once where it is the same."""
    same_day = clock.local_date(closure.starts_at) == clock.local_date(closure.ends_at)
    until = club_time(closure.ends_at, "H:i" if same_day else "D j M Y, H:i")
    return f"{club_time(closure.starts_at)} – {until}"


def standing_of(closure: Closure, now: datetime) -> tuple[str, str]:
    """(style, text): whether it closes anything, and when."""
    if closure.confirmed_at is None:
        return "draft", _("draft, not in force")
    if closure.ends_at <= now:
        return "over", _("over")
    if closure.starts_at <= now:
        return "in-force", _("closed now")
    return "in-force", _("in force from %(at)s") % {"at": club_time(closure.starts_at, "j M, H:i")}
