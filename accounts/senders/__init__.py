"""How a text leaves the house: one small class for each way, named in ``NOTIFICATION_SENDERS``."""

from accounts.senders.base import Sender, SendError
from accounts.senders.console import ConsoleSender
from accounts.senders.mail import EmailSender

__all__ = ["ConsoleSender", "EmailSender", "SendError", "Sender"]
