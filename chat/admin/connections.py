"""The live sockets: who, on what, since when, and what waits for them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bcc.core import clock
from bcc.core.backoffice import ReadOnlyModelAdmin
from bcc.core.errors import NotFoundError
from chat.models import Connection
from chat.policies.presence import alive_since
from chat.services.connections import close_connection


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyModelAdmin[Connection]):
    list_display = (
        "user",
        "device",
        "platform",
        "app_version",
        "process",
        "connected_at",
        "last_active_at",
        "waiting_frames",
        "waiting_bytes",
    )
    list_filter = ("platform",)
    list_select_related = ("user", "process")
    search_fields = ("user__display_name", "user__username", "device")
    ordering = ("-connected_at", "-pk")
    actions = ("close",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Without those of a process that was killed and not swept up yet."""
        return super().get_queryset(request).filter(process__seen_at__gte=alive_since(clock.now()))

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_connection")

    @admin.action(description=_("Close the chosen connections"), permissions=["close"])
    def close(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        done = 0
        for public_id in list(queryset.values_list("public_id", flat=True)):
            try:
                close_connection(connection=public_id)
            except NotFoundError:
                continue  # it has gone by itself
            done += 1
        text = ngettext("%(n)d connection is closed.", "%(n)d connections are closed.", done)
        self.message_user(request, text % {"n": done})
