"""Devices, sessions and one-time passwords. Nothing here holds a secret that could be replayed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bcc.core.models import PublicModel


class DeviceQuerySet(models.QuerySet["Device"]):
    def trusted(self) -> Self:
        return self.filter(trusted_at__isnull=False, revoked_at__isnull=True)

    def reached_by_push(self) -> Self:
        return self.trusted().filter(push_token__gt="")


class Device(PublicModel):
    """A phone or browser somebody signed in from.

    ``token_hash`` is SHA-256 of the 256-bit device token that proves a trusted device; empty until
    a one-time password was right on it. A push token belongs to one active device only.
    """

    class Platform(models.TextChoices):
        IOS = "ios", "iOS"
        ANDROID = "android", "Android"
        WEB = "web", _("web")
        OTHER = "other", _("other")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="devices", verbose_name=_("user")
    )
    platform = models.CharField(_("platform"), max_length=16, choices=Platform, default=Platform.OTHER)
    name = models.CharField(_("name"), max_length=80, blank=True)
    app_version = models.CharField(_("app version"), max_length=32, blank=True)
    push_token = models.CharField(_("push token"), max_length=255, blank=True)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    trusted_at = models.DateTimeField(_("trusted since"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = (
            models.UniqueConstraint(
                fields=("push_token",),
                condition=Q(push_token__gt="", revoked_at__isnull=True),
                name="accounts_device_push_token_once",
            ),
            models.UniqueConstraint(
                fields=("token_hash",), condition=Q(token_hash__gt=""), name="accounts_device_token_once"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.get_platform_display()


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, at: datetime) -> Self:
        return self.filter(ended_at__isnull=True, expires_at__gt=at)


class Session(PublicModel):
    """One sign-in: the family of refresh tokens that grew from it. Ended means all of them are dead."""

    class EndReason(models.TextChoices):
        LOGOUT = "logout", _("signed out")
        REUSE = "reuse", _("a refresh token was used twice")
        PASSWORD = "password", _("the password was changed")
        REVOKED = "revoked", _("revoked")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("user")
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("device")
    )
    started_at = models.DateTimeField(_("started at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.CharField(_("ended because"), max_length=16, choices=EndReason, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = (models.Index(fields=("expires_at",), name="accounts_session_expiry"),)

    def __str__(self) -> str:
        return str(self.public_id)


class RefreshTokenUse(models.Model):
    """A refresh token that was spent. The insert is the test: a second one fails on ``jti``."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="uses")
    jti = models.UUIDField(unique=True)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("used refresh token")
        verbose_name_plural = _("used refresh tokens")
        indexes = (models.Index(fields=("used_at",), name="accounts_refresh_used"),)

    def __str__(self) -> str:
        return str(self.jti)


class OneTimePasswordQuerySet(models.QuerySet["OneTimePassword"]):
    def live(self, at: datetime) -> Self:
        return self.filter(consumed_at__isnull=True, superseded_at__isnull=True, expires_at__gt=at)


class OneTimePassword(models.Model):
    """A challenge whose six digits are derived from ``OTP_KEY`` when sent and when checked.

    The code is stored nowhere, not even hashed; ``destination`` is masked. A challenge for an unknown
    identifier has no user: it costs the same writes, gets the same reply, and sends nothing.
    """

    class Purpose(models.TextChoices):
        DEVICE = "device", _("new device")
        ACTIVATION = "activation", _("activation")
        RESET = "reset", _("password reset")
        STEP_UP = "step_up", _("confirmation of a change")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="one_time_passwords",
    )
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose)
    channel = models.CharField(_("channel"), max_length=16)
    destination = models.CharField(_("destination"), max_length=254, blank=True)
    challenge = models.UUIDField(_("challenge"), default=uuid.uuid4, unique=True)
    nonce = models.CharField(max_length=32)
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, null=True, blank=True, related_name="challenges"
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    last_sent_at = models.DateTimeField(_("last sent at"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    resends = models.PositiveSmallIntegerField(_("resends"), default=0)
    # HMAC of the client's address, for the daily budgets of texts; empty where nobody's.
    address_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    consumed_at = models.DateTimeField(_("used at"), null=True, blank=True)
    superseded_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    objects = OneTimePasswordQuerySet.as_manager()

    class Meta:
        verbose_name = _("one-time password")
        verbose_name_plural = _("one-time passwords")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "purpose"),
                condition=Q(user__isnull=False, consumed_at__isnull=True, superseded_at__isnull=True),
                name="accounts_otp_one_live",
            ),
        )
        indexes = (
            models.Index(fields=("user", "purpose", "expires_at"), name="accounts_otp_live"),
            models.Index(fields=("expires_at",), name="accounts_otp_expiry"),
        )

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.challenge}"


class GrantQuerySet(models.QuerySet["Grant"]):
    def live(self, at: datetime) -> Self:
        return self.filter(used_at__isnull=True, expires_at__gt=at)


class Grant(models.Model):
    """What the right code of a challenge allows, once: an activation, a reset, or a change that asks for it.

    ``token_hash`` is SHA-256 of 256 random bits that are shown once.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    purpose = models.CharField(_("purpose"), max_length=16, choices=OneTimePassword.Purpose)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        indexes = (
            models.Index(fields=("user", "purpose"), name="accounts_grant_user"),
            models.Index(fields=("expires_at",), name="accounts_grant_expiry"),
        )

    def __str__(self) -> str:
        return self.get_purpose_display()
