"""Where people are signed in: to be looked at, and to be ended."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Device, Session
from accounts.services.devices import revoke_device
from accounts.services.sessions import revoke_session
from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin


@admin.register(Device)
class DeviceAdmin(ReadOnlyModelAdmin[Device]):
    list_display = ("user", "platform", "name", "app_version", "trusted_at", "last_seen_at", "revoked_at")
    list_filter = ("platform", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__display_name", "name")
    ordering = ("-last_seen_at", "-pk")
    exclude = ("push_token", "token_hash")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_device")

    @admin.action(description=_("Forget the chosen devices and end their sessions"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        devices = list(queryset.filter(trusted_at__isnull=False, revoked_at__isnull=True))
        for device in devices:
            revoke_device(user_id=device.user_id, public_id=device.public_id, now=clock.now())
        done = len(devices)
        text = ngettext("%(n)d device was forgotten.", "%(n)d devices were forgotten.", done)
        self.message_user(request, text % {"n": done})


@admin.register(Session)
class SessionAdmin(ReadOnlyModelAdmin[Session]):
    list_display = ("user", "device", "started_at", "expires_at", "ended_at", "end_reason")
    list_filter = ("end_reason", "started_at")
    list_select_related = ("user", "device")
    search_fields = ("user__username", "user__display_name")
    ordering = ("-started_at", "-pk")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_session")

    @admin.action(description=_("End the chosen sessions"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        ids = list(queryset.values_list("public_id", flat=True))
        done = sum(revoke_session(public_id=public_id, now=clock.now()) for public_id in ids)
        text = ngettext("%(n)d session was ended.", "%(n)d sessions were ended.", done)
        self.message_user(request, text % {"n": done})
