"""Policies and their versions: what is in force, what the draft would change, and putting it in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin, actor_of
from bcc.core.errors import ConflictError
from facilities import services
from facilities.models import PolicyVersion, ReservationPolicy
from facilities.policies.differences import Change, compare
from facilities.policies.plain_language import Sentence, Stay, Topic, read_terms
from facilities.selectors.policies import facilities_of, stay_of
from reservations.admin.pages import Done, club_time, form_page, may
from reservations.admin.policy_forms import FIELDSETS, DraftForm, PublishForm

TOPIC_LABELS: Final[dict[Topic, Any]] = {
    "window": gettext_lazy("When it opens"),
    "length": gettext_lazy("How long"),
    "party": gettext_lazy("Who comes"),
    "confirmation": gettext_lazy("Holding and confirming"),
    "cancellation": gettext_lazy("Cancelling and moving"),
    "attendance": gettext_lazy("Coming"),
    "other": gettext_lazy("Other"),
    "quota": gettext_lazy("Quotas"),
}
CHANGE: Final = "facilities.change_policyversion"


class NoDraftError(ConflictError):
    code = "no_draft"
    default_detail = gettext_lazy(
        "There is no draft any more: it was published or discarded. Make a new one."
    )


@admin.register(ReservationPolicy)
class ReservationPolicyAdmin(ClubModelAdmin[ReservationPolicy]):
    list_display = ("name", "bound_to", "valid", "in_force", "draft")
    list_filter = ("kind", "facility", "category")
    list_select_related = ("facility", "category")
    search_fields = ("name", "facility__name")
    ordering = ("name", "pk")
    fieldsets = (
        (None, {"fields": ("name",)}),
        (
            gettext_lazy("Bound to"),
            {
                "fields": ("facility", "kind", "category", ("valid_from", "valid_until")),
                "description": gettext_lazy(
                    "To a facility or to a kind, perhaps for one membership category only. The most specific "
                    "policy that is valid on the day of the booking wins."
                ),
            },
        ),
    )
    change_form_template = "admin/reservations/policy/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReservationPolicy]:
        versions = PolicyVersion.objects.order_by("-number", "-pk")
        return super().get_queryset(request).prefetch_related(Prefetch("versions", versions))

    # ------------------------------------------------------------------------------------- columns

    @admin.display(description=gettext_lazy("for"))
    def bound_to(self, policy: ReservationPolicy) -> str:
        what = str(policy.facility or policy.get_kind_display())
        return what if policy.category is None else f"{what}, {policy.category}"

    @admin.display(description=gettext_lazy("valid"))
    def valid(self, policy: ReservationPolicy) -> str:
        if policy.valid_from is None and policy.valid_until is None:
            return _("always")
        return f"{policy.valid_from or '…'} – {policy.valid_until or '…'}"

    @admin.display(description=gettext_lazy("in force"))
    def in_force(self, policy: ReservationPolicy) -> SafeString:
        version = in_force_of(policy)
        if version is None:
            return format_html('<span class="warn">{}</span>', _("none: nobody can book"))
        said = _("v%(number)d since %(at)s") % {
            "number": version.number,
            "at": club_time(version.published_at, "j M Y"),
        }
        return format_html('<span class="state in-force">{}</span>', said)

    @admin.display(description=gettext_lazy("draft"))
    def draft(self, policy: ReservationPolicy) -> str | SafeString:
        version = draft_of(policy)
        if version is None:
            return "–"
        return format_html('<span class="state draft">v{}</span>', version.number)

    # --------------------------------------------------------------------------------- stock pages

    def save_model(self, request: HttpRequest, obj: ReservationPolicy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        version = in_force_of(obj) if change else None
        if version is not None:
            # Bound to something else, the same terms may not fall on its cells.
            services.require_terms_fit(obj, version.terms, on=clock.today())

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        policy = self.get_object(request, object_id) if object_id is not None else None
        shown: dict[str, Any] = {}
        if policy is not None and self.has_view_permission(request, policy):
            current, draft = in_force_of(policy), draft_of(policy)
            shown = {
                "in_force": current,
                "in_force_reading": read(policy, current),
                "draft": draft,
                "draft_reading": read(policy, draft),
                "may_draft": may(request, "facilities.add_policyversion"),
                "may_change": may(request, CHANGE),
                "may_discard": may(request, "facilities.delete_policyversion"),
            }
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # ----------------------------------------------------------------------------------- our pages

    def get_urls(self) -> list[URLPattern]:
        def at(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(
                address, self.admin_site.admin_view(view), name=f"facilities_reservationpolicy_{name}"
            )

        return [
            at("<int:pk>/versions/", self.versions_view, "versions"),
            at("<int:pk>/draft/new/", self.new_draft_view, "new_draft"),
            at("<int:pk>/draft/", self.draft_view, "draft"),
            at("<int:pk>/draft/publish/", self.publish_view, "publish"),
            at("<int:pk>/draft/discard/", self.discard_view, "discard"),
            *super().get_urls(),
        ]

    def versions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every version with what it changed; nothing here can be edited."""
        policy = self._policy(request, pk, "facilities.view_reservationpolicy")
        stay = stay_for(policy)
        rows: list[dict[str, Any]] = []
        before: list[Sentence] | None = None
        for version in policy.versions.annotate(bookings=Count("reservations")).order_by("number", "pk"):
            reading = sentences(version, stay)
            changes = [] if before is None else by_topic(compare(before, reading))
            rows.append({"version": version, "reading": grouped(reading), "changes": changes})
            if version.is_published:
                before = reading
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Versions of %(name)s") % {"name": policy.name},
            "policy": policy,
            "rows": rows[::-1],
            "in_force": in_force_of(policy),
        }
        return TemplateResponse(request, "admin/reservations/policy/versions.html", context)

    def new_draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self._policy(request, pk, "facilities.add_policyversion")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        edit = self.url_of("draft", pk)

        def work() -> str:
            version = services.new_policy_version(policy=policy)
            self.log_change(request, policy, f"Draft of version {version.number} made.")
            return _(
                "Version %(number)d is a draft: a copy of what is in force. Members notice nothing until you "
                "publish it."
            ) % {"number": version.number}

        return self.do(request, work, back=edit)

    def draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self._policy(request, pk, CHANGE)
        draft = self._draft(request, policy)
        if isinstance(draft, HttpResponse):
            return draft
        form = DraftForm(
            request.POST or None, instance=draft, initial={"seen": services.mark_of(draft.terms)}
        )

        def work() -> Done:
            saved = services.edit_draft(version=draft, changes=form.terms, seen=form.cleaned_data["seen"])
            self.log_change(request, policy, f"Draft of version {saved.number} edited.")
            self._warn_of_misfits(request, policy, saved)
            return _("The draft is saved. Read it, and publish it when it says what you mean."), self.url_of(
                "change", pk
            )

        return form_page(
            self,
            request,
            form,
            work,
            title=_("Draft of version %(number)d") % {"number": draft.number},
            subtitle=policy.name,
            button=_("Save the draft"),
            back=self.url_of("change", pk),
            fieldsets=FIELDSETS,
        )

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self._policy(request, pk, CHANGE)
        draft = self._draft(request, policy)
        if isinstance(draft, HttpResponse):
            return draft
        stay, current = stay_for(policy), in_force_of(policy)
        form = PublishForm(request.POST or None, initial={"seen": services.mark_of(draft.terms)})
        if request.method != "POST":
            self._warn_of_misfits(request, policy, draft)

        def work() -> Done:
            published = services.publish_policy_version(
                version=draft, by=actor_of(request), now=clock.now(), seen=form.cleaned_data["seen"]
            )
            self.log_change(request, policy, f"Version {published.number} published.")
            text = _("Version %(number)d is in force for bookings made from now on.")
            return text % {"number": published.number}, self.url_of("change", pk)

        before = [] if current is None else sentences(current, stay)
        return form_page(
            self,
            request,
            form,
            work,
            title=_("Publish version %(number)d") % {"number": draft.number},
            subtitle=policy.name,
            button=_("Publish"),
            back=self.url_of("change", pk),
            fieldsets=(),
            template="admin/reservations/policy/publish.html",
            policy=policy,
            draft=draft,
            in_force=current,
            changes=by_topic(compare(before, sentences(draft, stay))),
            fields=[] if current is None else changed_fields(current, draft),
            facilities=facilities_of(policy),
        )

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self._policy(request, pk, "facilities.delete_policyversion")
        draft = self._draft(request, policy)
        if isinstance(draft, HttpResponse):
            return draft
        number = draft.number

        def work() -> Done:
            services.discard_draft(version=draft)
            self.log_change(request, policy, f"Draft of version {number} discarded.")
            return _("The draft is gone. What is in force has not changed."), self.url_of("change", pk)

        return form_page(
            self,
            request,
            forms.Form(request.POST if request.method == "POST" else None),
            work,
            title=_("Discard the draft of version %(number)d") % {"number": number},
            subtitle=policy.name,
            button=_("Discard the draft"),
            back=self.url_of("change", pk),
            fieldsets=(),
            lines=[_("What was edited in it is lost. What is in force stays as it is.")],
        )

    # --------------------------------------------------------------------------------------- pieces

    def _policy(self, request: HttpRequest, pk: int, permission: str) -> ReservationPolicy:
        if not may(request, permission):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def _draft(self, request: HttpRequest, policy: ReservationPolicy) -> PolicyVersion | HttpResponse:
        draft = draft_of(policy)
        if draft is not None:
            return draft

        def work() -> str:
            raise NoDraftError

        return self.do(request, work, back=self.url_of("change", policy.pk))

    def _warn_of_misfits(self, request: HttpRequest, policy: ReservationPolicy, draft: PolicyVersion) -> None:
        try:
            services.require_terms_fit(policy, draft.terms, on=clock.today())
        except services.MisfitError as misfit:
            for pairs in misfit.errors.values():
                for _code, detail in pairs:
                    text = _("It cannot be published yet: %(detail)s") % {"detail": detail}
                    self.message_user(request, text, messages.WARNING)


# ------------------------------------------------------------------------------------------- readings


def in_force_of(policy: ReservationPolicy) -> PolicyVersion | None:
    """The published version with the highest number; from what is prefetched."""
    published = [version for version in policy.versions.all() if version.is_published]
    return max(published, key=lambda version: version.number, default=None)


def draft_of(policy: ReservationPolicy) -> PolicyVersion | None:
    return next((version for version in policy.versions.all() if not version.is_published), None)


def stay_for(policy: ReservationPolicy) -> Stay | None:
    """Check-in and check-out of what the policy is for; of the first facility, if it is for a kind."""
    return next((stay for facility in facilities_of(policy) if (stay := stay_of(facility))), None)


def sentences(version: PolicyVersion, stay: Stay | None) -> list[Sentence]:
    return read_terms(version.terms, currency=settings.CLUB_CURRENCY, stay=stay)


def grouped(said: list[Sentence]) -> list[tuple[str, list[str]]]:
    """The sentences under the heading of each topic."""
    groups: dict[Topic, list[str]] = {}
    for sentence in said:
        groups.setdefault(sentence.topic, []).append(sentence.text)
    return [(str(TOPIC_LABELS[topic]), texts) for topic, texts in groups.items()]


def by_topic(changes: list[Change]) -> list[tuple[str, list[Change]]]:
    groups: dict[Topic, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.topic, []).append(change)
    return [(str(TOPIC_LABELS[topic]), some) for topic, some in groups.items()]


def read(policy: ReservationPolicy, version: PolicyVersion | None) -> list[tuple[str, list[str]]]:
    return [] if version is None else grouped(sentences(version, stay_for(policy)))


def changed_fields(before: PolicyVersion, after: PolicyVersion) -> list[tuple[str, str, str]]:
    """(name, old, new) of each term that differs, also of those that no sentence tells."""
    return [
        (str(PolicyVersion._meta.get_field(name).verbose_name), _shown(before, name), _shown(after, name))  # type: ignore[union-attr]  # columns all
        for name in services.TERMS
        if getattr(before, name) != getattr(after, name)
    ]


def _shown(version: PolicyVersion, name: str) -> str:
    value = getattr(version, name)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    display = getattr(version, f"get_{name}_display", None)
    return str(display() if display is not None else value)
