"""The texts that staff edit, with a preview and the fields there are; and the outbox, to look at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import Channel, MessageTemplate, Notification, SmsUse
from accounts.services.messages import (
    MessageKind,
    all_kinds,
    edit_text,
    find_kind,
    known_fields,
    preview,
    restore_text,
)
from bcc.core.backoffice import ClubModelAdmin, ReadOnlyModelAdmin, told
from bcc.core.errors import InvalidError


def message_choices() -> list[tuple[str, str]]:
    """("kind:channel", label) of every message that there can be."""
    return [
        (f"{kind.code}:{channel.value}", f"{kind.label} – {channel.label}")
        for kind in all_kinds()
        for channel in kind.texts
    ]


def _parsed(message: str) -> tuple[MessageKind, Channel] | None:
    code, _colon, channel = message.partition(":")
    try:
        kind = find_kind(code)
        return (kind, Channel(channel)) if channel in kind.texts else None
    except (KeyError, ValueError):
        return None


class TextForm(forms.ModelForm[MessageTemplate]):
    """Which message, and its words."""

    message = forms.ChoiceField(label=gettext_lazy("message"), choices=message_choices)

    class Meta:
        model = MessageTemplate
        fields = ("subject", "body")
        widgets = {
            "subject": forms.TextInput(attrs={"size": 80}),
            "body": forms.Textarea(attrs={"rows": 10, "cols": 80}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["message"].initial = f"{self.instance.kind}:{self.instance.channel}"
            self.fields["message"].disabled = True


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ClubModelAdmin[MessageTemplate]):
    """A message without a row here goes out in the words that its app declares."""

    form = TextForm
    list_display = ("kind", "channel", "subject", "updated_at")
    list_filter = ("channel",)
    search_fields = ("kind", "subject", "body")
    ordering = ("kind", "channel", "pk")
    fields = ("message", "subject", "body", "fields_there_are", "declared_words", "updated_at")
    readonly_fields = ("fields_there_are", "declared_words", "updated_at")
    change_form_template = "admin/accounts/messagetemplate/change_form.html"
    # Deleting goes back to the declared words, and the service tells the processes.
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [path("preview/", view, name="accounts_messagetemplate_preview"), *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """``?message=kind:channel`` begins with the declared words."""
        found = _parsed(request.GET.get("message", ""))
        if found is None:
            return {}
        subject, body = found[0].texts[found[1]]
        return {"message": request.GET["message"], "subject": str(subject), "body": str(body)}

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        kind, _colon, channel = form.cleaned_data["message"].partition(":")
        made = edit_text(
            kind=kind,
            channel=Channel(channel),
            subject=form.cleaned_data["subject"],
            body=form.cleaned_data["body"],
        )
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: MessageTemplate) -> None:
        restore_text(template=obj)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The text of the form with sample values in it, or what is wrong with it. Saves nothing."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        found = _parsed(request.POST.get("message", "")) or self._of_row(request.POST.get("row", ""))
        context: dict[str, Any] = {**self.admin_site.each_context(request), "title": _("Preview")}
        if found is None:
            context["faults"] = [_("Choose a message first.")]
        else:
            try:
                context["text"] = preview(
                    found[0], subject=request.POST.get("subject", ""), body=request.POST.get("body", "")
                )
            except InvalidError as error:
                context["faults"] = [detail for _field, detail in told(error)]
        return TemplateResponse(request, "admin/accounts/messagetemplate/preview.html", context)

    def _of_row(self, pk: str) -> tuple[MessageKind, Channel] | None:
        row = MessageTemplate.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
        return None if row is None else _parsed(f"{row.kind}:{row.channel}")

    @admin.display(description=gettext_lazy("fields"))
    def fields_there_are(self, obj: MessageTemplate) -> SafeString:
        """Those of this message, or of each one while none is chosen."""
        found = _parsed(f"{obj.kind}:{obj.channel}")
        kinds = [found[0]] if found else all_kinds()
        rows = ((kind.label, ", ".join(f"${name}" for name in known_fields(kind))) for kind in kinds)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: <code>{}</code></li>", rows))

    @admin.display(description=gettext_lazy("declared words"))
    def declared_words(self, obj: MessageTemplate) -> str | SafeString:
        found = _parsed(f"{obj.kind}:{obj.channel}")
        if found is None:
            return "–"
        subject, body = found[0].texts[found[1]]
        return format_html("<strong>{}</strong><pre>{}</pre>", subject, body)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyModelAdmin[Notification]):
    """What was told to whom, and what waits. Texts are made when they are sent, and not kept."""

    list_display = ("created_at", "user", "kind", "channel", "state", "attempts", "sent_at", "read_at")
    list_filter = ("state", "channel", "kind", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__display_name", "kind")
    ordering = ("-pk",)
    exclude = ("one_time_password",)


@admin.register(SmsUse)
class SmsUseAdmin(ReadOnlyModelAdmin[SmsUse]):
    """What text messages cost, a day; the counters of single numbers and addresses are nobody's to read."""

    list_display = ("day", "used", "parts", "spent", "left")
    list_filter = ("day",)
    ordering = ("-day", "-pk")
    fields = ("day", "used", "parts", "spent", "left")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SmsUse]:
        return super().get_queryset(request).filter(scope=SmsUse.Scope.CLUB)

    @admin.display(description=gettext_lazy("spent"), ordering="cost")
    def spent(self, obj: SmsUse) -> str:
        return f"{obj.cost} {settings.CLUB_CURRENCY}"

    @admin.display(description=gettext_lazy("left of the day's budget"))
    def left(self, obj: SmsUse) -> str:
        return str(max(0, settings.SMS_A_DAY - obj.used)) if settings.SMS_A_DAY else "–"
