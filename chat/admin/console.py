"""The staff's console: the queue of the desks, one conversation, and everything done about it.

A page like any other: without scripts it is links and forms. With them it hears of what happens on a
socket of its own, and fetches the parts of the page that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.policies.identity import Identity
from bcc.core import clock
from bcc.core.backoffice import REFUSALS, ReadOnlyModelAdmin, actor_of, told
from chat.models import Console, Conversation, Kind, Message, StaffReading
from chat.policies import rights
from chat.selectors import console as found
from chat.selectors.attachments import find_attachment
from chat.services import desks
from chat.services.admission import issue_browser_ticket
from chat.services.moderation import note_reading
from chat.services.pointers import Pointer, move_pointers
from chat.services.send import Outgoing, send_message
from documents.services.assets import read_asset

VIEWS: Final = (found.WAITING, found.MINE, found.OPEN, found.CLOSED)
NO_STORE: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Where:
    """What the page shows. It stands in the address, so that it can be kept and sent."""

    view: str
    desk: str
    conversation: UUID | None

    @classmethod
    def read(cls, request: HttpRequest) -> Where:
        view = request.GET.get("view", "")
        return cls(
            view if view in VIEWS else found.OPEN,
            request.GET.get("desk", "")[:50],
            _read_uuid(request.GET.get("c")),
        )

    def query(self, **changes: object) -> str:
        asked = {"view": self.view, "desk": self.desk, "c": self.conversation, **changes}
        return urlencode({name: str(value) for name, value in asked.items() if value})

    @property
    def here(self) -> str:
        return self.query()


@admin.register(Console)
class ConsoleAdmin(ReadOnlyModelAdmin[Console]):
    """One page instead of a list. Every change goes through a service of the chat."""

    ordering = ("-active_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="chat_console_changelist"),
            path("ticket/", view(self.ticket), name="chat_console_ticket"),
            path("attachment/<uuid:public_id>/", view(self.attachment), name="chat_console_attachment"),
            path("transcript/<uuid:public_id>/", view(self.transcript), name="chat_console_transcript"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Console | None = None) -> bool:
        return request.user.has_perm(rights.SERVE_DESKS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    # ------------------------------------------------------------------------------ what is shown

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        self._require(request)
        where, now = Where.read(request), clock.now()
        conversation = found.find_thread(where.conversation)
        if where.conversation is not None and conversation is None:
            raise Http404
        if request.method == "POST":
            return self._do(request, where, conversation, now)
        part = request.GET.get("part", "")
        if part == "queue":
            return self._render(request, "queue", self._queue(request, where, now))
        if part == "thread" and conversation is not None:
            return self._render(request, "thread", self._thread(request, where, conversation, now))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Chat"),
            "subtitle": None,
            "opts": self.model._meta,
            "is_nav_sidebar_enabled": False,
            **self._queue(request, where, now),
            **(self._thread(request, where, conversation, now) if conversation is not None else {}),
        }
        return TemplateResponse(request, "admin/chat/console.html", context, headers=NO_STORE)

    def _render(self, request: HttpRequest, part: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, f"admin/chat/console_{part}.html", context, headers=NO_STORE)

    def _queue(self, request: HttpRequest, where: Where, now: datetime) -> dict[str, Any]:
        me = _me(request).pk
        numbers = found.counts(me)
        names = {
            found.WAITING: _("Waiting"),
            found.MINE: _("Mine"),
            found.OPEN: _("Open"),
            found.CLOSED: _("Closed"),
        }
        return {
            "where": where,
            "tabs": [
                {
                    "query": where.query(view=view),
                    "name": names[view],
                    "number": numbers.get(view),
                    "is_here": view == where.view,
                }
                for view in VIEWS
            ],
            "lines": [
                (line, where.query(c=line.conversation.public_id))
                for line in found.queue(view=where.view, staff_id=me, desk=where.desk, now=now)
            ],
            "desks": found.desks(),
        }

    def _thread(
        self, request: HttpRequest, where: Where, conversation: Conversation, now: datetime
    ) -> dict[str, Any]:
        """The open conversation. That it was read is written down, and shown to the member."""
        user = _me(request)
        note_reading(
            conversation_id=conversation.pk, staff_id=user.pk, place=StaffReading.Place.CONSOLE, now=now
        )
        last = found.read_ahead(conversation)
        pointer = Pointer(
            user_id=user.pk,
            user=user.public_id,
            conversation=conversation.public_id,
            read=last,
            may_join=True,
        )
        move_pointers(pointers=[pointer], now=now)
        return {
            "where": where,
            "thread": found.thread(conversation, now),
            "last_seq": last,
            "client_id": uuid4(),
            "me": user,
            "is_mine": conversation.assignee_id == user.pk,
            "canned": found.canned_replies(conversation.desk),
            "colleagues": found.colleagues(user.pk),
        }

    # --------------------------------------------------------------------------------- what is done

    def _do(
        self, request: HttpRequest, where: Where, conversation: Conversation | None, now: datetime
    ) -> HttpResponse:
        if conversation is None:
            raise Http404
        wants_json = request.headers.get("Accept") == "application/json"
        try:
            said = self._act(request, conversation, now)
        except REFUSALS as error:
            texts = [detail for _field, detail in told(error)]
            if wants_json:
                return JsonResponse({"errors": texts}, status=409, headers=NO_STORE)
            for text in texts:
                self.message_user(request, text, messages.ERROR)
        else:
            if wants_json:
                return JsonResponse({"done": said}, headers=NO_STORE)
            if said:
                self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(f"{self.url_of('changelist')}?{where.here}#end")

    def _act(self, request: HttpRequest, conversation: Conversation, now: datetime) -> str:
        by = actor_of(request)
        match request.POST.get("do", ""):
            case "send":
                ask = Outgoing(
                    sender=_speaker(request),
                    conversation=conversation.public_id,
                    client_id=_read_uuid(request.POST.get("client_id")) or uuid4(),
                    body=request.POST.get("body", ""),
                )
                send_message(ask=ask, now=now)
                return ""
            case "take":
                desks.take(conversation=conversation, by=by, is_forced="is_forced" in request.POST, now=now)
                return _("You answer this conversation now.")
            case "hand_over":
                to = User.objects.filter(pk=_read_int(request.POST.get("to"))).first()
                if to is None:
                    return _("Choose to whom.")
                note = request.POST.get("note", "")
                desks.hand_over(conversation=conversation, to=to, note=note, by=by, now=now)
                return _("Handed over to %(name)s.") % {"name": to}
            case "release":
                desks.release(conversation=conversation, by=by, now=now)
                return _("Given back to the queue.")
            case "close":
                desks.close(conversation=conversation, by=by, now=now)
                return _("Closed.")
            case "reopen":
                desks.reopen(conversation=conversation, by=by, now=now)
                return _("Opened again.")
        raise Http404

    def ticket(self, request: HttpRequest) -> JsonResponse:
        """A ticket for this page's socket, which hangs on the session of the back office."""
        self._require(request)
        if request.method != "POST" or request.session.session_key is None:
            raise PermissionDenied
        user = _me(request)
        ticket = issue_browser_ticket(user=user.public_id, key=request.session.session_key, now=clock.now())
        return JsonResponse({"ticket": ticket.text, "me": str(user.public_id)}, headers=NO_STORE)

    def attachment(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        """A picture that was sent to a desk."""
        self._require(request)
        row = find_attachment(public_id)
        if row is None or row.message.conversation.kind != Kind.DESK:
            raise Http404
        return HttpResponse(read_asset(row.asset), content_type=row.asset.media_type, headers=NO_STORE)

    def transcript(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        """The whole conversation as a text file. Who took it stands in its history."""
        self._require(request)
        conversation = found.find_thread(public_id)
        if conversation is None:
            raise Http404
        now = clock.now()
        place = StaffReading.Place.TRANSCRIPT
        note_reading(conversation_id=conversation.pk, staff_id=_me(request).pk, place=place, now=now)
        desks.note_export(conversation=conversation, by=actor_of(request), now=now)
        lines = [
            _("%(desk)s and %(member)s, as of %(at)s.")
            % {"desk": conversation.desk, "member": conversation.owner, "at": _local(now)},
            "",
            *(_line(one) for one in found.transcript(conversation)),
        ]
        name = f"chat-{conversation.public_id}.txt"
        return HttpResponse(
            "\n".join(lines) + "\n",
            content_type="text/plain; charset=utf-8",
            headers={**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _require(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin let nobody else in


def _speaker(request: HttpRequest) -> Identity:
    user = _me(request)
    return Identity(
        user_id=user.pk,
        public_id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        is_staff=True,
        is_active=True,
        session_id=uuid4(),
        permissions=frozenset(user.get_all_permissions()),
    )


def _line(message: Message) -> str:
    who = str(message.sender) if message.type == Message.Type.TEXT else _("(desk)")
    body = message.body if message.deleted_at is None else _("(deleted)")
    edited = _(" (edited)") if message.edited_at is not None else ""
    return f"{_local(message.created_at)}  {who}{edited}: {body}"


def _local(instant: datetime) -> str:
    return date_format(instant.astimezone(clock.zone()), "j M Y, H:i")


def _read_uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _read_int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else 0
