from __future__ import annotations

import smtplib

from django.core.mail import EmailMessage

from accounts.senders.base import SendError


class EmailSender:
    """By Django's mail settings, as plain text from ``DEFAULT_FROM_EMAIL``."""

    def send(self, destination: str, subject: str, body: str) -> None:
        try:
            EmailMessage(subject=subject, body=body, to=[destination]).send()
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(type(error).__name__) from error
