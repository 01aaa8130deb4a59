"""What staff set up: desks, their hours, what is said often, and what the club allows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bcc.core.backoffice import ClubModelAdmin
from chat.models import CannedReply, ChatSettings, Desk, DeskSpan, HeldWord, RetentionRule
from chat.services.rules import forget_rules


class SpanInline(admin.TabularInline[DeskSpan, Desk]):
    model = DeskSpan
    extra = 1
    ordering = ("weekday", "opens", "pk")


@admin.register(Desk)
class DeskAdmin(ClubModelAdmin[Desk]):
    list_display = ("name", "department", "is_shown", "position")
    ordering = ("position", "name", "pk")
    search_fields = ("name", "department")
    prepopulated_fields = {"code": ("name",)}
    inlines = (SpanInline,)


@admin.register(CannedReply)
class CannedReplyAdmin(ClubModelAdmin[CannedReply]):
    list_display = ("title", "desk", "position")
    list_filter = ("desk",)
    list_select_related = ("desk",)
    search_fields = ("title", "body")
    ordering = ("position", "title", "pk")


@admin.register(HeldWord)
class HeldWordAdmin(ClubModelAdmin[HeldWord]):
    list_display = ("phrase", "is_active", "note")
    list_filter = ("is_active",)
    search_fields = ("phrase", "note")
    ordering = ("phrase", "pk")

    def save_model(self, request: HttpRequest, obj: HeldWord, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_rules()

    def delete_model(self, request: HttpRequest, obj: HeldWord) -> None:
        super().delete_model(request, obj)
        forget_rules()


@admin.register(RetentionRule)
class RetentionRuleAdmin(ClubModelAdmin[RetentionRule]):
    list_display = ("kind", "keep_days")
    ordering = ("kind", "pk")


@admin.register(ChatSettings)
class ChatSettingsAdmin(ClubModelAdmin[ChatSettings]):
    """One row, made when somebody first opens the page."""

    list_display = ("__str__", "allows_direct", "allows_groups", "links", "updated_at")
    ordering = ("pk",)
    fieldsets = (
        (_("Members among themselves"), {"fields": ("allows_direct", "allows_groups", "group_size")}),
        (_("Messages"), {"fields": ("longest_message", "edit_minutes", "links")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChatSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if self.has_view_permission(request):
            ChatSettings.objects.get_or_create(pk=1)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: ChatSettings, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_rules()
