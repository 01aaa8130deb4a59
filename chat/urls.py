"""The routes of the chat, under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from chat import views

_ONE = "chat/conversations/<uuid:public_id>"

urlpatterns: list[URLPattern] = [
    path("chat/socket-ticket", views.SocketTicketView.as_view(), name="chat-socket-ticket"),
    path("chat/conversations", views.ConversationListView.as_view(), name="chat-conversations"),
    path(_ONE, views.ConversationDetailView.as_view(), name="chat-conversation"),
    path(f"{_ONE}/messages", views.MessageListView.as_view(), name="chat-messages"),
    path(f"{_ONE}/read", views.ReadView.as_view(), name="chat-read"),
    path(f"{_ONE}/mute", views.MuteView.as_view(), name="chat-mute"),
    path(f"{_ONE}/leave", views.LeaveView.as_view(), name="chat-leave"),
    path("chat/messages/<uuid:public_id>", views.MessageView.as_view(), name="chat-message"),
    path("chat/messages/<uuid:public_id>/report", views.ReportView.as_view(), name="chat-report"),
    path("chat/attachments/<uuid:public_id>", views.AttachmentView.as_view(), name="chat-attachment"),
    path("chat/blocks", views.BlockListView.as_view(), name="chat-blocks"),
    path("chat/blocks/<uuid:public_id>", views.BlockDetailView.as_view(), name="chat-block"),
    path("chat/desks", views.DeskListView.as_view(), name="chat-desks"),
    path("chat/preferences", views.PreferencesView.as_view(), name="chat-preferences"),
    path("chat/connections", views.ConnectionListView.as_view(), name="chat-connections"),
    path("chat/connections/<uuid:public_id>", views.ConnectionDetailView.as_view(), name="chat-connection"),
]
