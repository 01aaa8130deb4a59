from django.urls import URLPattern, path

from chat.views import SocketTicketView

urlpatterns: list[URLPattern] = [
    path("chat/socket-ticket", SocketTicketView.as_view(), name="chat-socket-ticket"),
]
