from chat.views.conversations import (
    AttachmentView,
    ConversationDetailView,
    ConversationListView,
    LeaveView,
    MessageListView,
    MessageView,
    MuteView,
    ReadView,
)
from chat.views.people import (
    BlockDetailView,
    BlockListView,
    ConnectionDetailView,
    ConnectionListView,
    DeskListView,
    PreferencesView,
    ReportView,
)
from chat.views.tickets import SocketTicketView

__all__ = [
    "AttachmentView",
    "BlockDetailView",
    "BlockListView",
    "ConnectionDetailView",
    "ConnectionListView",
    "ConversationDetailView",
    "ConversationListView",
    "DeskListView",
    "LeaveView",
    "MessageListView",
    "MessageView",
    "MuteView",
    "PreferencesView",
    "ReadView",
    "ReportView",
    "SocketTicketView",
]
