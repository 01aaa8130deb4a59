"""Signing in and out. Every open route is limited by identity and by address, and fails closed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.auth import (
    ActivateSerializer,
    ChallengeSerializer,
    CodeSerializer,
    LoginSerializer,
    OtpRequestSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    RefreshSerializer,
    SignInReplySerializer,
    TokensSerializer,
)
from accounts.services import passwords, recovery, sessions
from accounts.services.counting import address_key
from accounts.services.devices import DeviceFacts
from accounts.services.grants import Granted
from accounts.services.one_time_passwords import Challenge, Purpose
from accounts.services.patience import noting_failures
from accounts.services.sign_in import SignedIn, ask_again, sign_in, verify_code
from accounts.views import examples
from accounts.views.base import OpenView, SignedInView
from accounts.views.throttles import (
    CodeThrottle,
    EverybodyThrottle,
    EverywhereThrottle,
    IdentifierThrottle,
    PasswordThrottle,
    PatienceThrottle,
    ReadThrottle,
    RecoveryAddressThrottle,
    RecoveryEverywhereThrottle,
    RecoveryThrottle,
    RefreshThrottle,
    ResendThrottle,
    SignInAddressThrottle,
    StepUpThrottle,
    patience_key,
)
from bcc.core import clock
from bcc.core.addresses import client_address
from bcc.core.rest.fields import NothingSerializer


def _answered(result: SignedIn | Granted) -> Response:
    if isinstance(result, Granted):
        reply: dict[str, Any] = {
            "otp_required": False,
            "grant": result.grant,
            "grant_expires_at": result.expires_at,
        }
        return Response(SignInReplySerializer(reply).data)
    reply = {"otp_required": False, "tokens": result.tokens}
    if result.device_token:
        reply["device_token"] = result.device_token
    return Response(SignInReplySerializer(reply).data)


class LoginView(OpenView):
    throttle_classes = (
        IdentifierThrottle,
        EverywhereThrottle,
        SignInAddressThrottle,
        EverybodyThrottle,
        PatienceThrottle,
    )
    refusals = {"POST": ("401", "403")}

    @extend_schema(
        operation_id="auth_login",
        request=LoginSerializer,
        responses=SignInReplySerializer,
        examples=[examples.LOGIN_REQUEST, examples.TRUSTED, examples.CHALLENGED],
        tags=["auth"],
        summary="Sign in: tokens on a trusted device, a challenge on any other",
    )
    def post(self, request: Request) -> Response:
        data = self.body(LoginSerializer)
        with noting_failures(patience_key(request)):
            result = self._sign_in(request, data)
        if isinstance(result, SignedIn):
            return _answered(result)
        return Response(SignInReplySerializer({"otp_required": True, "challenge": result}).data)

    def _sign_in(self, request: Request, data: dict[str, Any]) -> SignedIn | Challenge:
        return sign_in(
            identifier=data["identifier"],
            password=data["password"],
            facts=DeviceFacts(**data["device"]),
            device_token=data["device_token"],
            address_key=address_key(client_address(request)),
            now=clock.now(),
        )


class VerifyView(OpenView):
    throttle_classes = (CodeThrottle, SignInAddressThrottle)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_otp_verify",
        request=CodeSerializer,
        responses=SignInReplySerializer,
        examples=[examples.CODE_REQUEST, examples.NEWLY_TRUSTED],
        tags=["auth"],
        summary="Answer the challenge of a new device",
    )
    def post(self, request: Request) -> Response:
        data = self.body(CodeSerializer)
        return _answered(verify_code(challenge=data["challenge"], code=data["code"], now=clock.now()))


class OtpRequestView(OpenView):
    throttle_classes = (ResendThrottle, RecoveryThrottle, RecoveryEverywhereThrottle, RecoveryAddressThrottle)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_otp_request",
        request=OtpRequestSerializer,
        responses=ChallengeSerializer,
        examples=[examples.RESEND_REQUEST, examples.RESET_REQUEST, examples.CHALLENGE],
        tags=["auth"],
        summary="Ask for a code to activate an account or reset a password, or for a code again",
    )
    def post(self, request: Request) -> Response:
        data = self.body(OtpRequestSerializer)
        if "identifier" in data:
            told = recovery.request_code(
                identifier=data["identifier"],
                purpose=Purpose(data["purpose"]),
                address_key=address_key(client_address(request)),
                now=clock.now(),
            )
        else:
            told = recovery.resend_code(challenge=data["challenge"], now=clock.now())
        return Response(ChallengeSerializer(told).data)


class ActivateView(OpenView):
    throttle_classes = (SignInAddressThrottle,)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_activate",
        request=ActivateSerializer,
        responses=SignInReplySerializer,
        examples=[examples.ACTIVATE_REQUEST, examples.NEWLY_TRUSTED],
        tags=["auth"],
        summary="Choose the first password, with the grant of an activation code",
    )
    def post(self, request: Request) -> Response:
        data = self.body(ActivateSerializer)
        result = recovery.activate(
            grant=data["grant"],
            password=data["new_password"],
            facts=DeviceFacts(**data["device"]),
            now=clock.now(),
        )
        return _answered(result)


class PasswordResetView(OpenView):
    throttle_classes = (SignInAddressThrottle,)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_password_reset",
        request=PasswordResetSerializer,
        responses={204: None},
        examples=[examples.NEW_PASSWORD_REQUEST],
        tags=["auth"],
        summary="Replace a lost password, with the grant of a reset code; every session ends",
    )
    def post(self, request: Request) -> Response:
        data = self.body(PasswordResetSerializer)
        recovery.reset_password(grant=data["grant"], password=data["new_password"], now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class StepUpView(SignedInView):
    throttle_classes = (StepUpThrottle,)
    refusals = {"POST": ("403", "404")}

    @extend_schema(
        operation_id="auth_step_up",
        request=NothingSerializer,
        responses=ChallengeSerializer,
        examples=[examples.CHALLENGE],
        tags=["auth"],
        summary="Ask oneself for a code before a change that matters",
    )
    def post(self, request: Request) -> Response:
        self.body(NothingSerializer)
        told = ask_again(
            identity=self.identity, address_key=address_key(client_address(request)), now=clock.now()
        )
        return Response(ChallengeSerializer(told).data)


class RefreshView(OpenView):
    throttle_classes = (RefreshThrottle,)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_token_refresh",
        request=RefreshSerializer,
        responses=TokensSerializer,
        examples=[examples.REFRESH_REQUEST, examples.TOKENS],
        tags=["auth"],
        summary="Exchange a refresh token, once; a second use ends the session",
    )
    def post(self, request: Request) -> Response:
        data = self.body(RefreshSerializer)
        return Response(TokensSerializer(sessions.refresh(token=data["refresh"], now=clock.now())).data)


class LogoutView(SignedInView):
    throttle_classes = (ReadThrottle,)

    @extend_schema(
        operation_id="auth_logout",
        request=NothingSerializer,
        responses={204: None},
        tags=["auth"],
        summary="End this session and its sockets",
    )
    def post(self, request: Request) -> Response:
        self.body(NothingSerializer)
        sessions.log_out(identity=self.identity, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(SignedInView):
    throttle_classes = (ReadThrottle,)

    @extend_schema(
        operation_id="auth_logout_all",
        request=NothingSerializer,
        responses={204: None},
        tags=["auth"],
        summary="End every session and socket of this user",
    )
    def post(self, request: Request) -> Response:
        self.body(NothingSerializer)
        sessions.log_out_everywhere(user_id=self.identity.user_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordChangeView(SignedInView):
    throttle_classes = (PasswordThrottle,)
    refusals = {"POST": ("403",)}

    @extend_schema(
        operation_id="auth_password_change",
        request=PasswordChangeSerializer,
        responses=TokensSerializer,
        examples=[examples.PASSWORD_REQUEST, examples.TOKENS],
        tags=["auth"],
        summary="Change the password; every other session ends",
    )
    def post(self, request: Request) -> Response:
        data = self.body(PasswordChangeSerializer)
        tokens = passwords.change_password(
            user_id=self.identity.user_id,
            session_id=self.identity.session_id,
            current=data["current_password"],
            new=data["new_password"],
            grant=data.get("grant", ""),
            now=clock.now(),
        )
        return Response(TokensSerializer(tokens).data)
