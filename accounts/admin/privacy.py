"""Notices, requests to be forgotten, and who read what."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import DeletionRequest, Member, MemberView, PrivacyNotice, RecordRead
from accounts.services.personal_data import export_of
from accounts.services.privacy import decline_deletion, grant_deletion, note_read
from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin, ReadOnlyModelAdmin, actor_of


@admin.register(PrivacyNotice)
class PrivacyNoticeAdmin(ClubModelAdmin[PrivacyNotice]):
    """A change is a new version: what somebody accepted stays as it was."""

    list_display = ("version", "title", "published_at")
    search_fields = ("version", "title", "text")
    ordering = ("-published_at", "-pk")

    def get_readonly_fields(self, request: HttpRequest, obj: PrivacyNotice | None = None) -> tuple[str, ...]:
        return ("version", "title", "text", "published_at") if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: PrivacyNotice | None = None) -> bool:
        return False


@admin.register(DeletionRequest)
class DeletionRequestAdmin(ReadOnlyModelAdmin[DeletionRequest]):
    list_display = ("member", "state", "requested_at", "decided_at", "decided_by")
    list_filter = ("state", "requested_at")
    list_select_related = ("member",)
    search_fields = ("member__member_no", "member__last_name")
    ordering = ("-pk",)
    actions = ("forget", "decline")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_deletionrequest")

    @admin.action(description=gettext_lazy("Make the members anonymous, as asked"), permissions=["decide"])
    def forget(self, request: HttpRequest, queryset: QuerySet[DeletionRequest]) -> HttpResponse | None:
        chosen = list(queryset.select_related("member__user"))

        def work(reason: str) -> str:
            for one in chosen:
                grant_deletion(request=one, by=actor_of(request), answer=reason, now=clock.now())
            return _("%(n)d done. It cannot be undone.") % {"n": len(chosen)}

        return self.ask_reason(
            request,
            work,
            title=_("Make anonymous"),
            question=_("Their names, addresses, devices and messages are deleted. This cannot be undone."),
            lines=[str(one.member) for one in chosen[:50]],
            back=self.url_of("changelist"),
        )

    @admin.action(description=gettext_lazy("Decline the requests"), permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[DeletionRequest]) -> HttpResponse | None:
        chosen = list(queryset.select_related("member"))

        def work(reason: str) -> str:
            for one in chosen:
                decline_deletion(request=one, by=actor_of(request), answer=reason, now=clock.now())
            return _("%(n)d declined. The members read the reason.") % {"n": len(chosen)}

        return self.ask_reason(
            request,
            work,
            title=_("Decline"),
            question=_("Say why: the members read it in the app."),
            lines=[str(one.member) for one in chosen[:50]],
            back=self.url_of("changelist"),
        )


@admin.register(RecordRead)
class RecordReadAdmin(ReadOnlyModelAdmin[RecordRead]):
    list_display = ("read_at", "reader_name", "what", "member", "detail")
    list_filter = ("what", "read_at")
    list_select_related = ("member",)
    search_fields = ("reader_name", "member__member_no", "member__last_name")
    ordering = ("-pk",)


@admin.register(MemberView)
class MemberViewAdmin(ReadOnlyModelAdmin[MemberView]):
    list_display = ("started_at", "viewer", "member", "reason", "expires_at", "ended_at")
    list_filter = ("started_at",)
    list_select_related = ("viewer", "member")
    search_fields = ("viewer__username", "member__member_no", "reason")
    ordering = ("-pk",)


def export_answer(request: HttpRequest, member: Member) -> HttpResponse:
    """All that the club keeps of a member, as a file; that it was made is kept. Raises PermissionDenied."""
    if not request.user.has_perm("accounts.change_deletionrequest"):
        raise PermissionDenied
    note_read(member=member, by=actor_of(request), what=RecordRead.What.EXPORT, now=clock.now())
    data: Any = {"exported_at": clock.now(), "data": export_of(member)}
    text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    answer = HttpResponse(text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="member-{member.public_id}.json"'
    answer["Cache-Control"] = "no-store"
    return answer
