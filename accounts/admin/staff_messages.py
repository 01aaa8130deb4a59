"""Messages to many members: written, looked at, tried on oneself, sent or planned, stopped."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.models import StaffMessage
from accounts.services import staff_messages
from accounts.services.audiences import all_audiences, label_of
from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin, actor_of
from bcc.core.errors import InvalidError

State = StaffMessage.State


def audience_choices() -> list[tuple[str, Any]]:
    """("code:chosen", label) under the name of each kind of audience."""
    found: list[tuple[str, Any]] = []
    for audience in all_audiences():
        choices = audience.choices()
        if choices:
            found.append((str(audience.label), [(f"{audience.code}:{one}", text) for one, text in choices]))
        else:
            found.append((f"{audience.code}:", audience.label))
    return found


class MessageForm(forms.ModelForm[StaffMessage]):
    """What is said, and to whom. When it is left empty, it goes when it is sent."""

    to = forms.ChoiceField(label=gettext_lazy("To"), choices=audience_choices)

    class Meta:
        model = StaffMessage
        fields = ("title", "body", "link", "by_email", "send_at")
        widgets = {
            "title": forms.TextInput(attrs={"size": 60}),
            "body": forms.Textarea(attrs={"rows": 8, "cols": 80}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "to" in self.fields:
            self.fields["to"].initial = f"{self.instance.audience}:{self.instance.chosen}"

    def clean_link(self) -> str:
        link: str = self.cleaned_data["link"].strip().strip("/")
        if ":" in link or link.startswith("//"):
            raise forms.ValidationError(_("A link leads into the app: write a path such as events/…."))
        return link


@admin.register(StaffMessage)
class StaffMessageAdmin(ClubModelAdmin[StaffMessage]):
    """Nothing leaves by saving: there is a button for it on the page."""

    form = MessageForm
    list_display = ("title", "state", "to_whom", "send_at", "told", "written_by")
    list_filter = ("state", "created_at")
    search_fields = ("title", "body", "written_by")
    ordering = ("-pk",)
    change_form_template = "admin/accounts/staffmessage/change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: StaffMessage | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("title", "body", "link", "to", "by_email", "send_at")})]
        if obj.state == State.DRAFT and self.has_change_permission(request, obj):
            edited = ("title", "body", "link", "to", "by_email", "send_at")
            return [(None, {"fields": edited}), (_("As members get it"), {"fields": ("how_many", "preview")})]
        fixed = ("state", "to_whom", "send_at", "told", "written_by", "finished_at")
        return [(None, {"fields": fixed}), (_("As members get it"), {"fields": ("preview",)})]

    def get_readonly_fields(self, request: HttpRequest, obj: StaffMessage | None = None) -> tuple[str, ...]:
        shown = ("how_many", "preview", "state", "to_whom", "told", "written_by", "finished_at")
        return shown if obj is None or obj.state == State.DRAFT else (*shown, "send_at")

    def get_form(
        self, request: HttpRequest, obj: StaffMessage | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None and obj.state != State.DRAFT:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: StaffMessage | None = None) -> bool:
        return False  # what was said to members stays to be read

    def get_urls(self) -> list[URLPattern]:
        def own(name: str, view: Any) -> URLPattern:
            page: URLPattern = path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"accounts_staffmessage_{name}",
            )
            return page

        return [
            own("try", self.try_view),
            own("send", self.send_view),
            own("stop", self.stop_view),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: StaffMessage, form: Any, change: bool) -> None:
        obj.audience, _colon, obj.chosen = form.cleaned_data["to"].partition(":")
        if not change:
            obj.written_by, obj.created_at = actor_of(request).name, clock.now()
        obj.save()

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._found(request, pk)

        def work() -> str:
            count = staff_messages.try_on(message=message, user_id=request.user.pk or 0, now=clock.now())
            text = ngettext("Sent to you by %(n)d channel.", "Sent to you by %(n)d channels.", count)
            return text % {"n": count}

        return self.do(request, work, back=self.url_of("change", pk))

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._found(request, pk)

        def work() -> str:
            staff_messages.plan(message=message, send_at=message.send_at, now=clock.now())
            self.log_change(request, message, _("Sent."))
            return _("It is on its way. You can stop it as long as it is being sent.")

        return self.do(request, work, back=self.url_of("change", pk))

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._found(request, pk)

        def work() -> str:
            staff_messages.stop(message=message, now=clock.now())
            self.log_change(request, message, _("Stopped."))
            return _("Stopped. Nobody more is told.")

        return self.do(request, work, back=self.url_of("change", pk))

    def _found(self, request: HttpRequest, pk: int) -> StaffMessage:
        message: StaffMessage = get_object_or_404(StaffMessage, pk=pk)
        if not self.has_change_permission(request, message):
            raise PermissionDenied
        return message

    @admin.display(description=gettext_lazy("to"))
    def to_whom(self, obj: StaffMessage) -> str:
        return label_of(obj.audience, obj.chosen)

    @admin.display(description=gettext_lazy("goes to"))
    def how_many(self, obj: StaffMessage) -> str:
        try:
            count = staff_messages.count_of(obj, at=clock.now())
        except InvalidError:
            return _("There is no such audience any more. Choose another one.")
        return ngettext("%(n)d person", "%(n)d people", count) % {"n": count}

    @admin.display(description=gettext_lazy("preview"))
    def preview(self, obj: StaffMessage) -> SafeString:
        rows = (
            (channel.label, text.subject, text.body)
            for channel, text in staff_messages.preview_of(obj).items()
        )
        return format_html(
            "<dl>{}</dl>",
            format_html_join("", "<dt>{}</dt><dd><strong>{}</strong><pre>{}</pre></dd>", rows),
        )
