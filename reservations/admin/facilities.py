"""Facilities and spaces: what describes them, and what cannot change while somebody is to come."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import MembershipCategory
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ClubModelAdmin, actor_of
from documents.admin.pictures import PictureForm, TakesPicturesAdmin, picture_tag, with_pictures
from facilities.models import (
    Closure,
    Facility,
    FacilityImage,
    FacilitySpace,
    OpeningPeriod,
    PolicyVersion,
    Publishing,
    Space,
)
from facilities.policies.plain_language import read_quota, read_terms
from facilities.selectors.policies import quota_of, quotas_for, stay_of, version_in_force
from facilities.services.fit import require_facility_fits
from reservations import services
from reservations.admin.deciding import (
    FILL,
    DecidingAdmin,
    decisions_in,
    may_close,
    plain_choice,
    reason_in,
)
from reservations.admin.hours import TimeInput
from reservations.admin.pages import MomentField
from reservations.admin.policy import grouped
from reservations.selectors.closures import coming_bookings
from reservations.services.errors import UndecidedBookingsError

M = TypeVar("M", bound=models.Model)
Link = tuple[str, str]
TODAY: Final = "admin:reservations_today_changelist"
TEST: Final = "admin:reservations_reservation_test"


class PlaceAdmin(ClubModelAdmin[M]):
    """Rows that bookings hold on to: deleting one that has any is refused in words."""

    change_form_template = "admin/reservations/place_form.html"
    actions = None

    def why_not_delete(self, place: M) -> str:
        """Why ``place`` stays in the books, and what to do instead; "" where nothing stands in the way."""
        raise NotImplementedError

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        place = self.get_object(request, unquote(object_id))
        if (
            place is not None
            and self.has_delete_permission(request, place)
            and (text := self.why_not_delete(place))
        ):
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(self.url_of("change", place.pk))
        return super().delete_view(request, object_id, extra_context)


# ------------------------------------------------------------------------------------------- facilities


class FacilityForm(forms.ModelForm[Facility]):
    publish_from = MomentField(label=gettext_lazy("Shown from"), required=False)
    publish_until = MomentField(label=gettext_lazy("Shown until"), required=False)

    class Meta:
        model = Facility
        fields = (
            "code", "name", "kind", "takes", "area", "description", "terms", "location", "position",
            "state", "publish_from", "publish_until",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "state" in self.fields and self.instance.state != Publishing.RETIRED:
            # Retiring asks about bookings, so it has a page of its own.
            self.fields["state"].choices = [  # type: ignore[attr-defined]  # a choice
                choice for choice in Publishing.choices if choice[0] != Publishing.RETIRED
            ]


class SpaceInline(admin.TabularInline[FacilitySpace, Facility]):
    model = FacilitySpace
    fields = ("space",)
    ordering = ("pk",)
    verbose_name_plural = gettext_lazy("Spaces: a booking takes all of them")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = Space.objects.filter(is_retired=False).order_by("name", "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return plain_choice(super().formfield_for_dbfield(db_field, request, **kwargs))


class FacilityPictureForm(PictureForm):
    """One picture: chosen, or sent in place."""

    class Meta:
        model = FacilityImage
        fields = ("image", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "image" in self.fields:
            self.fields["image"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not cleaned.get("image") and not cleaned.get("upload"):
            self.add_error("image", _("Choose a picture, or send a new one."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        sent = self.sent_picture(clock.now())
        if sent is not None:
            self.instance.image = sent
        if (
            FacilityImage.objects.filter(facility=self.instance.facility, image=self.instance.image)
            .exclude(pk=self.instance.pk)
            .exists()
        ):
            return self.instance  # it has that picture already
        return super().save(commit)


class PictureInline(admin.TabularInline[FacilityImage, Facility]):
    model = FacilityImage
    form = FacilityPictureForm
    fields = ("now", "image", "upload", "upload_alt", "position")
    readonly_fields = ("now",)
    autocomplete_fields = ("image",)
    ordering = ("position", "pk")
    extra = 1
    verbose_name_plural = gettext_lazy("Pictures: the first stands for it in lists")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FacilityImage]:
        return super().get_queryset(request).select_related("image")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj) or self.has_add_permission(request, obj):
            return self.fields
        return ("now", "image", "position")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{**kwargs, "form": with_pictures(self.form, request)})

    @admin.display(description=gettext_lazy("now"))
    def now(self, row: FacilityImage) -> SafeString:
        return picture_tag(row.image if row.pk else None)


@admin.register(Facility)
class FacilityAdmin(TakesPicturesAdmin, PlaceAdmin[Facility], DecidingAdmin[Facility]):
    form = FacilityForm
    list_display = ("name", "kind", "area", "shown", "on_spaces")
    list_filter = ("state", "kind", "area")
    search_fields = ("name", "code", "area")
    ordering = ("position", "name", "pk")
    inlines = (SpaceInline, PictureInline)
    prepopulated_fields = {"code": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "code", "kind", "takes", "position")}),
        (gettext_lazy("What members read"), {"fields": ("area", "description", "terms", "location")}),
        (
            gettext_lazy("In the app"),
            {
                "fields": ("state", ("publish_from", "publish_until")),
                "description": gettext_lazy(
                    "Staff alone see a draft. Published without dates, it is shown at once and for good."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Facility]:
        return super().get_queryset(request).prefetch_related("spaces")

    # ---------------------------------------------------------------------------------------- who may
    # Describing a facility hits no booking; retiring one does.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return ClubModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Facility | None = None) -> bool:
        return ClubModelAdmin.has_change_permission(self, request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Facility | None = None) -> bool:
        return ClubModelAdmin.has_delete_permission(self, request, obj)

    def may_retire(self, request: HttpRequest, facility: Facility) -> bool:
        return (
            facility.state != Publishing.RETIRED
            and may_close(request)
            and self.has_change_permission(request, facility)
        )

    # ------------------------------------------------------------------------------------------ columns

    @admin.display(description=gettext_lazy("in the app"), ordering="state")
    def shown(self, facility: Facility) -> SafeString:
        text = str(facility.get_state_display())
        if facility.state == Publishing.PUBLISHED and not facility.is_shown_at(clock.now()):
            text = _("published, not shown at this time")
        return format_html('<span class="state {}">{}</span>', facility.state, text)

    @admin.display(description=gettext_lazy("spaces"))
    def on_spaces(self, facility: Facility) -> str | SafeString:
        names = [space.name for space in facility.spaces.all()]
        return ", ".join(names) or format_html('<span class="warn">{}</span>', _("none: nobody can book"))

    # -------------------------------------------------------------------------------------- stock pages

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        facility: Facility = form.instance

        def apply() -> None:
            super(FacilityAdmin, self).save_related(request, form, formsets, change)

        if any(formset.has_changed() for formset in formsets if formset.model is FacilitySpace):
            services.change_spaces(facility=facility, apply=apply, now=clock.now())
        else:
            apply()
            if "kind" in form.changed_data:
                require_facility_fits(facility, on=clock.today())  # other policies hold for it now

    def why_not_delete(self, place: Facility) -> str:
        values = {"name": place.name}
        if place.reservations.exists():
            return _("%(name)s has bookings, past ones too, so it stays in the books. Retire it.") % values
        if PolicyVersion.objects.filter(policy__facility=place).exists():
            return _("%(name)s has a policy of its own with versions, which are kept. Retire it.") % values
        return ""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        facility = self.get_object(request, unquote(object_id)) if object_id is not None else None
        shown: dict[str, Any] = {}
        if facility is not None and self.has_view_permission(request, facility):
            shown = {"tools": self._tools(request, facility), "readings": self._readings(request, facility)}
            if facility.state == Publishing.RETIRED:
                text = _("Retired: nobody can book it. Choose another state to bring it back.")
                shown["standing"] = {"css": "retired", "text": text}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def _tools(self, request: HttpRequest, facility: Facility) -> list[Link]:
        user: Any = request.user
        desk = user.has_perm("reservations.work_the_desk")
        may_test = user.has_perms(("facilities.view_reservationpolicy", "accounts.view_member"))
        tools = [
            (text, url)
            for text, url in (
                (_("Hours"), self._list_of(request, OpeningPeriod, facility)),
                (_("Closures"), self._list_of(request, Closure, facility)),
                (_("Today"), reverse(TODAY, query={"kind": facility.kind}) if desk else ""),
                (_("Test a booking"), reverse(TEST, query={"facility": facility.pk}) if may_test else ""),
            )
            if url
        ]
        if self.may_retire(request, facility):
            tools.append((_("Retire it"), self.url_of("retire", facility.pk)))
        return tools

    def _list_of(self, request: HttpRequest, model: type[models.Model], facility: Facility) -> str:
        options = model._meta
        user: Any = request.user
        if not user.has_perm(f"{options.app_label}.view_{options.model_name}"):
            return ""
        name = f"admin:{options.app_label}_{options.model_name}_changelist"
        return reverse(name, query={"facility__id__exact": facility.pk})

    def _readings(self, request: HttpRequest, facility: Facility) -> list[dict[str, Any]]:
        """What each membership category reads of the rules today; those who read the same together."""
        today = clock.today()
        names: dict[PolicyVersion | None, list[str]] = {}
        ids: dict[PolicyVersion | None, int | None] = {}
        everyone = version_in_force(facility, category_id=None, on=today)
        for category in MembershipCategory.objects.order_by("rank", "pk"):
            version = version_in_force(facility, category_id=category.pk, on=today)
            if version != everyone:
                names.setdefault(version, []).append(category.name)
                ids.setdefault(version, category.pk)
        readings = [self._reading(request, facility, everyone, None, "")]
        for version, some in names.items():
            readings.append(self._reading(request, facility, version, ids[version], ", ".join(some)))
        return readings

    def _reading(
        self,
        request: HttpRequest,
        facility: Facility,
        version: PolicyVersion | None,
        category_id: int | None,
        whom: str,
    ) -> dict[str, Any]:
        if version is None:
            nothing = _("No policy is in force, so members cannot book. Publish one for it or for its kind.")
            return {"title": whom or _("Rules of booking"), "groups": [(_("Nobody"), [nothing])], "url": ""}
        said = read_terms(version.terms, currency=settings.CLUB_CURRENCY, stay=stay_of(facility))
        quotas = quotas_for(facility, category_id=category_id, on=clock.today())
        said += [read_quota(quota_of(rule)) for rule in quotas]
        title = _("Rules of booking in force: %(policy)s, version %(number)d") % {
            "policy": version.policy.name,
            "number": version.number,
        }
        user: Any = request.user
        may_read = user.has_perm("facilities.view_reservationpolicy")
        url = (
            reverse("admin:facilities_reservationpolicy_change", args=[version.policy_id]) if may_read else ""
        )
        return {"title": f"{title} ({whom})" if whom else title, "groups": grouped(said), "url": url}

    # ----------------------------------------------------------------------------------------- retiring

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.retire_view)
        return [path("<int:pk>/retire/", view, name="facilities_facility_retire"), *super().get_urls()]

    def retire_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        facility = self.get_object(request, str(pk))
        if facility is None:
            raise Http404
        back = self.url_of("change", pk)
        if facility.state == Publishing.RETIRED:
            self.message_user(request, _("It is retired already."), messages.WARNING)
            return HttpResponseRedirect(back)
        if not self.may_retire(request, facility):
            raise PermissionDenied
        hits, now = list(coming_bookings([pk], now=clock.now())), clock.now()
        if request.method == "POST" and FILL not in request.POST:
            try:
                services.retire_facility(
                    facility=facility,
                    decisions=decisions_in(request),
                    by=actor_of(request),
                    reason=reason_in(request),
                    now=now,
                )
            except UndecidedBookingsError as error:
                hits = error.hits
            except REFUSALS as error:
                self.tell(request, error)
            else:
                self.log_change(request, facility, "Retired.")
                text = _("%(name)s is retired. Its bookings stay in the books.") % {"name": facility.name}
                self.message_user(request, text, messages.SUCCESS)
                return HttpResponseRedirect(back)
        question = (
            _("It leaves the app for good. First decide for each coming booking: keep or cancel it.")
            if hits
            else _("It leaves the app for good. Nobody has a coming booking.")
        )
        return self.decide_page(
            request,
            hits,
            title=_("Retire %(name)s") % {"name": facility.name},
            question=question,
            button=_("Retire it"),
            back=back,
        )


# ----------------------------------------------------------------------------------------------- spaces


@admin.register(Space)
class SpaceAdmin(PlaceAdmin[Space]):
    list_display = ("name", "code", "grid", "lanes", "used_by", "is_retired")
    formfield_overrides = {models.TimeField: {"widget": TimeInput}}
    list_filter = ("is_retired", "grid")
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    prepopulated_fields = {"code": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "code")}),
        (
            gettext_lazy("What bookings take"),
            {
                "fields": ("grid", "lanes", ("check_in_at", "check_out_at")),
                "description": gettext_lazy(
                    "The grid is the smallest time to take; lanes are how many may be there at once. "
                    "Neither can change while somebody is to come. Check-in and check-out are for nights."
                ),
            },
        ),
        (gettext_lazy("Out of use"), {"fields": ("is_retired",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Space]:
        return super().get_queryset(request).prefetch_related("facilities")

    @admin.display(description=gettext_lazy("used by"))
    def used_by(self, space: Space) -> str:
        return ", ".join(sorted(facility.name for facility in space.facilities.all())) or "–"

    def save_model(self, request: HttpRequest, obj: Space, form: Any, change: bool) -> None:
        services.change_space(space=obj, fields=form.changed_data, now=clock.now())

    def why_not_delete(self, place: Space) -> str:
        names = sorted(place.facilities.values_list("name", flat=True))
        if names:
            text = _("%(space)s is used by %(facilities)s. Take it out there first, or retire it.")
            return text % {"space": place.name, "facilities": ", ".join(names)}
        if place.claims.exists():
            return _("%(space)s is booked. Wait until nobody is to come.") % {"space": place.name}
        return ""
