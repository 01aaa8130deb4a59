from __future__ import annotations

import smtplib

from django.core.mail import EmailMessage

from accounts.senders.base import RefusedError, SendError


class EmailSender:
    """By Django's mail settings, as plain text from ``DEFAULT_FROM_EMAIL``."""

    def send(self, destination: str, subject: str, body: str) -> None:
        try:
            EmailMessage(subject=subject, body=body, to=[destination]).send()
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _said in error.recipients.values()}
            kind = RefusedError if all(code >= 500 for code in codes) else SendError
            raise kind(type(error).__name__) from error
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(type(error).__name__) from error
