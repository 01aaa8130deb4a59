"""How a text leaves the house: one small class for each way, named in ``NOTIFICATION_SENDERS``."""

from accounts.senders.base import RefusedError, Sender, SendError
from accounts.senders.console import ConsoleSender
from accounts.senders.mail import EmailSender
from accounts.senders.sms import HttpSmsSender

__all__ = ["ConsoleSender", "EmailSender", "HttpSmsSender", "RefusedError", "SendError", "Sender"]
