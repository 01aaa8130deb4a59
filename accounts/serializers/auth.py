"""Sign-in, as the app sends and reads it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Device, OneTimePassword
from accounts.policies.identifiers import MAX_LENGTH
from accounts.services.one_time_passwords import UNNAMED, Challenge
from accounts.services.passwords import MAX_LENGTH as MAX_PASSWORD
from accounts.services.tokens import Tokens
from bcc.core.rest.fields import AwareDateTimeField, CharField, StrictSerializer, UUIDField


class DeviceFactsSerializer(StrictSerializer):
    """What the app says of the device it runs on."""

    platform = serializers.ChoiceField(choices=Device.Platform.choices)
    name = CharField(max_length=80, allow_blank=True, default="", help_text="As its owner calls it.")
    app_version = CharField(max_length=32, allow_blank=True, default="")


class LoginSerializer(StrictSerializer):
    """Who, with which password, on which device."""

    identifier = CharField(
        max_length=MAX_LENGTH,
        help_text="Member number in any spelling, e-mail, mobile number, or staff name.",
    )
    password = CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True)
    device = DeviceFactsSerializer()
    device_token = CharField(
        max_length=128,
        default="",
        allow_blank=True,
        help_text="What `otp/verify` returned on this device. Without it a one-time code is asked for.",
    )


class OtpRequestSerializer(StrictSerializer):
    """A challenge whose code is to be sent again, or somebody who wants to activate an account or to
    replace a lost password."""

    purpose = serializers.ChoiceField(
        choices=OneTimePassword.Purpose.choices,
        default=OneTimePassword.Purpose.DEVICE,
        help_text="What the code is for. With `identifier`: `activation` or `reset`.",
    )
    challenge = UUIDField(required=False, help_text="Which code to send again. Not with `identifier`.")
    identifier = CharField(
        required=False,
        max_length=MAX_LENGTH,
        help_text="Who asks, for `activation` and `reset`. The reply is the same whoever that is.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("challenge" in attrs) is ("identifier" in attrs):
            detail = _("Send a challenge or an identifier, and not both.")
            raise serializers.ValidationError({"challenge": detail}, code="one_of_two")
        if "identifier" in attrs and attrs["purpose"] not in UNNAMED:
            detail = _("With an identifier the purpose is activation or reset.")
            raise serializers.ValidationError({"purpose": detail}, code="not_by_identifier")
        return attrs


class ActivateSerializer(StrictSerializer):
    """The grant of the right code, and the first password."""

    grant = CharField(max_length=128, write_only=True, help_text="What `otp/verify` returned.")
    new_password = CharField(
        min_length=8, max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True,
        help_text="8 to 128 characters of any kind; none of the well-known ones.",
    )  # fmt: skip
    device = DeviceFactsSerializer()


class PasswordResetSerializer(StrictSerializer):
    """The grant of the right code, and the new password."""

    grant = CharField(max_length=128, write_only=True, help_text="What `otp/verify` returned.")
    new_password = CharField(
        min_length=8, max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True,
        help_text="8 to 128 characters of any kind; none of the well-known ones.",
    )  # fmt: skip


class CodeSerializer(StrictSerializer):
    """The answer to a challenge."""

    challenge = UUIDField()
    code = CharField(max_length=16, write_only=True, help_text="Six digits.")


class RefreshSerializer(StrictSerializer):
    """A refresh token; it works once."""

    refresh = CharField(max_length=1024, write_only=True)


class PasswordChangeSerializer(StrictSerializer):
    """The present password and the new one."""

    current_password = CharField(max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True)
    new_password = CharField(
        min_length=8, max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True,
        help_text="8 to 128 characters of any kind; none of the well-known ones.",
    )  # fmt: skip
    grant = CharField(
        max_length=128,
        required=False,
        write_only=True,
        help_text="Of `auth/step-up`, where the sign-in is older than 15 minutes.",
    )


class TokensSerializer(serializers.Serializer[Tokens]):
    """A pair of tokens. Keep both where only the app can read them."""

    access = serializers.CharField(help_text="For `Authorization: Bearer`, for ten minutes.")
    access_expires_at = AwareDateTimeField()
    refresh = serializers.CharField(help_text="Buys one new pair, once.")
    refresh_expires_at = AwareDateTimeField()


class ChallengeSerializer(serializers.Serializer[Challenge]):
    """A one-time code is on its way; answer with `auth/otp/verify`."""

    challenge = serializers.UUIDField()
    channel = serializers.CharField(help_text="`sms` or `email`.")
    sent_to = serializers.CharField(help_text="Where to, masked; empty where it was asked for by a name.")
    expires_at = AwareDateTimeField()
    resend_at = AwareDateTimeField(help_text="From then on another request makes a new code.")
    resends_left = serializers.IntegerField(help_text="How often it can be asked for again.")


class SignInReplySerializer(serializers.Serializer[Any]):
    """Tokens where the device is trusted, else what the code is to be answered for."""

    otp_required = serializers.BooleanField(help_text="Whether a one-time code must be answered first.")
    tokens = TokensSerializer(required=False, help_text="Where no code is required.")
    device_token = serializers.CharField(
        required=False, help_text="Given once, on a new device: send it at each later login."
    )
    challenge = ChallengeSerializer(required=False, help_text="Where a code is required.")
    grant = serializers.CharField(
        required=False, help_text="For `auth/activate`, `auth/password/reset` or the change, once."
    )
    grant_expires_at = AwareDateTimeField(required=False)
