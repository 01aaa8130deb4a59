"""What a member sees in the app, on a page of the back office: read, and nothing else."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member, MemberView, User
from accounts.services.viewing import end_view, find_view, identity_of, start_view
from bcc.core import clock
from bcc.core.backoffice import ClubModelAdmin
from bcc.core.errors import NotFoundError

# What the app shows on its pages; those whose app is not installed are left out.
PAGES: Final = (
    ("me", gettext_lazy("Profile")),
    ("me/household", gettext_lazy("Household")),
    ("reservations?when=upcoming", gettext_lazy("Coming reservations")),
    ("reservations?when=past", gettext_lazy("Past reservations")),
    ("me/privileges", gettext_lazy("Quotas and holds")),
    ("statements", gettext_lazy("Statements")),
    ("me/notifications", gettext_lazy("Messages")),
    ("me/devices", gettext_lazy("Devices")),
    ("announcements", gettext_lazy("Announcements")),
)
_API: Final = "/api/v1/"


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm("accounts.view_as_member")


def begin(request: HttpRequest, page: ClubModelAdmin[Any], member: Member) -> HttpResponse:
    """Ask why, and begin. Raises PermissionDenied."""
    if not may_view(request):
        raise PermissionDenied
    viewer = User.objects.get(pk=request.user.pk or 0)
    begun: list[MemberView] = []

    def work(reason: str) -> str:
        begun.append(start_view(member=member, viewer=viewer, reason=reason, now=clock.now()))
        return _("You see the app as this member sees it, for a quarter of an hour.")

    answer = page.ask_reason(
        request,
        work,
        title=_("See as the member"),
        question=_("The member finds in the app that you did, and when. You cannot change anything."),
        lines=[str(member)],
        back=page.url_of("change", member.pk),
    )
    if begun:
        return HttpResponseRedirect(reverse("admin:accounts_member_seen", args=[begun[0].public_id]))
    return answer


def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One page of the app, as the member gets it now. 404 when the time is over."""
    if not may_view(request):
        raise PermissionDenied
    try:
        view = find_view(public_id=public_id, viewer_id=request.user.pk or 0, now=clock.now())
    except NotFoundError as error:
        raise Http404 from error
    if request.method == "POST":
        end_view(view=view, now=clock.now())
        return HttpResponseRedirect(reverse("admin:accounts_member_change", args=[view.member_id]))
    pages = [(path, label) for path, label in PAGES if _is_there(path)]
    wanted = request.GET.get("page", "me")
    if wanted not in dict(pages):
        raise Http404
    status, body = _asked(request, view, wanted)
    context = {
        **admin.site.each_context(request),
        "title": _("As %(member)s sees it") % {"member": view.member},
        "view": view,
        "pages": pages,
        "wanted": wanted,
        "status": status,
        "body": body,
    }
    return TemplateResponse(request, "admin/accounts/member/seen.html", context)


def _is_there(path: str) -> bool:
    try:
        resolve(_API + path.partition("?")[0])
    except Resolver404:
        return False
    return True


def _asked(request: HttpRequest, view: MemberView, path: str) -> tuple[int, SafeString]:
    """The API's own answer to a GET in the member's name; the request is made here and has no other."""
    place, _sign, query = path.partition("?")
    asked = HttpRequest()
    asked.method = "GET"
    asked.path = asked.path_info = _API + place
    asked.META = {
        name: request.META[name]
        for name in ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "HTTP_HOST")
        if name in request.META
    } | {"QUERY_STRING": query, "HTTP_ACCEPT": "application/json"}
    asked.GET = QueryDict(query)
    asked.seen_as = identity_of(view)  # type: ignore[attr-defined]  # Django's request takes attributes of ours
    found = resolve(asked.path_info)
    answer = found.func(asked, *found.args, **found.kwargs)
    if hasattr(answer, "render"):
        answer.render()
    try:
        body = _readable(json.loads(answer.content))
    except ValueError:
        body = SafeString()
    return answer.status_code, body


def _readable(value: Any) -> SafeString:
    """What the API says, for a person: names and values, lists one under the other."""
    if isinstance(value, dict):
        rows = [(name.replace("_", " "), _readable(inner)) for name, inner in value.items()]
        return format_html("<dl>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
    if isinstance(value, list):
        if not value:
            return format_html("<em>{}</em>", _("nothing"))
        return format_html(
            "<ol>{}</ol>", format_html_join("", "<li>{}</li>", [(_readable(one),) for one in value])
        )
    if isinstance(value, bool):
        return format_html("{}", _("yes") if value else _("no"))
    return format_html("{}", "–" if value in (None, "") else value)
