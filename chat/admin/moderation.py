"""The moderator's pages: reports with their snapshots, held messages, and who of the staff read what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from chat.models import HeldMessage, MessageReport, StaffReading
from chat.policies import rights
from chat.services.moderation import decide_report, note_reading, refuse_held, release_held


class DecisionForm(forms.Form):
    """What becomes of a report."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("Verdict"),
        choices=[
            ("uphold", gettext_lazy("Uphold: the message is deleted for everybody")),
            ("dismiss", gettext_lazy("Dismiss: nothing changes")),
        ],
        widget=forms.RadioSelect,
    )
    hold_days = forms.IntegerField(
        label=gettext_lazy("Bar the sender from writing for so many days"),
        min_value=0,
        max_value=365,
        initial=0,
        help_text=gettext_lazy("0: not at all. Only when it is upheld."),
    )
    decision = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        error_messages={"required": gettext_lazy("Say why. It stands with the report.")},
    )


@admin.register(MessageReport)
class MessageReportAdmin(ReadOnlyModelAdmin[MessageReport]):
    list_display = ("created_at", "reason", "reported_user", "reporter", "state", "decided_by")
    list_filter = ("state", "reason")
    list_select_related = ("reported_user", "reporter")
    ordering = ("-created_at", "-pk")
    change_form_template = "admin/chat/report.html"

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/decide/",
            self.admin_site.admin_view(self.decide),
            name="chat_messagereport_decide",
        )
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        if report is not None and self.has_view_permission(request, report) and report.message is not None:
            note_reading(
                conversation_id=report.message.conversation_id,
                staff_id=request.user.pk,  # type: ignore[arg-type]  # the admin let nobody else in
                place=StaffReading.Place.REPORT,
                now=clock.now(),
            )
        context = {
            "may_decide": request.user.has_perm(rights.MODERATE)
            and report is not None
            and report.state == MessageReport.State.OPEN,
            "decision_form": DecisionForm(),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(rights.MODERATE):
            raise PermissionDenied
        report = MessageReport.objects.select_related("reported_user", "reporter").filter(pk=pk).first()
        if report is None:
            raise Http404
        back = self.url_of("change", pk)
        form = DecisionForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "opts": self.model._meta,
                "original": report,
                "title": _("Decide on a report"),
                "may_decide": True,
                "decision_form": form,
            }
            return TemplateResponse(request, self.change_form_template, context)
        said, now = form.cleaned_data, clock.now()
        days = said["hold_days"]
        try:
            decide_report(
                report=report,
                is_upheld=said["verdict"] == "uphold",
                decision=said["decision"],
                by=actor_of(request),
                now=now,
                hold_until=now + timedelta(days=days) if days else None,
            )
        except REFUSALS as error:
            self.tell(request, error)
        else:
            self.message_user(request, _("Decided."), messages.SUCCESS)
        return HttpResponseRedirect(back)


@admin.register(HeldMessage)
class HeldMessageAdmin(ReadOnlyModelAdmin[HeldMessage]):
    list_display = ("created_at", "sender", "body", "found", "state", "decided_by")
    list_filter = ("state",)
    list_select_related = ("sender",)
    ordering = ("-created_at", "-pk")
    actions = ("release", "refuse")

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(rights.MODERATE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if self.has_view_permission(request) and request.method == "GET":
            waiting = HeldMessage.objects.filter(state=HeldMessage.State.WAITING)
            for conversation in sorted(set(waiting.values_list("conversation_id", flat=True)[:200])):
                note_reading(
                    conversation_id=conversation,
                    staff_id=request.user.pk,  # type: ignore[arg-type]  # the admin let nobody else in
                    place=StaffReading.Place.HELD,
                    now=clock.now(),
                )
        return super().changelist_view(request, extra_context)

    @admin.action(description=gettext_lazy("Let the chosen messages stand"), permissions=["moderate"])
    def release(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        done = self._each(request, queryset, release_held)
        text = ngettext("%(n)d message stands now.", "%(n)d messages stand now.", done)
        self.message_user(request, text % {"n": done})

    @admin.action(description=gettext_lazy("Refuse the chosen messages"), permissions=["moderate"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        done = self._each(request, queryset, refuse_held)
        text = ngettext("%(n)d message was refused.", "%(n)d messages were refused.", done)
        self.message_user(request, text % {"n": done})

    def _each(self, request: HttpRequest, queryset: QuerySet[HeldMessage], work: Any) -> int:
        done = 0
        for held in queryset.select_related("conversation__desk").order_by("created_at", "pk"):
            try:
                work(held=held, by=actor_of(request), now=clock.now())
            except REFUSALS as error:
                for _field, detail in told(error):
                    self.message_user(request, f"{held}: {detail}", messages.ERROR)
            else:
                done += 1
        return done


@admin.register(StaffReading)
class StaffReadingAdmin(ReadOnlyModelAdmin[StaffReading]):
    """Who read whose conversation, where and when. Nobody writes here."""

    list_display = ("at", "staff", "conversation_of", "place")
    list_filter = ("place", "at")
    list_select_related = ("staff", "conversation__owner", "conversation__desk")
    search_fields = ("staff__display_name", "conversation__owner__display_name")
    ordering = ("-at", "-pk")

    @admin.display(description=gettext_lazy("conversation"))
    def conversation_of(self, row: StaffReading) -> str:
        conversation = row.conversation
        desk = conversation.desk or conversation.get_kind_display()
        return f"{conversation.owner}, {desk}"
