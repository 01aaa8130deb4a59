"""Signing in and out. Every open route is limited by identity and by address, and fails closed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.auth import (
    ChallengeSerializer,
    CodeSerializer,
    LoginSerializer,
    PasswordChangeSerializer,
    RefreshSerializer,
    ResendSerializer,
    SignInReplySerializer,
    TokensSerializer,
)
from accounts.services import one_time_passwords, passwords, sessions
from accounts.services.devices import DeviceFacts
from accounts.services.sign_in import SignedIn, sign_in, verify_code
from accounts.views import examples
from accounts.views.base import OpenView, SignedInView
from accounts.views.throttles import (
    CodeThrottle,
    IdentifierThrottle,
    PasswordThrottle,
    ReadThrottle,
    RefreshThrottle,
    ResendThrottle,
    SignInAddressThrottle,
)
from bcc.core import clock
from bcc.core.rest.fields import NothingSerializer


def _signed_in(result: SignedIn) -> Response:
    reply: dict[str, Any] = {"otp_required": False, "tokens": result.tokens}
    if result.device_token:
        reply["device_token"] = result.device_token
    return Response(SignInReplySerializer(reply).data)


class LoginView(OpenView):
    throttle_classes = (IdentifierThrottle, SignInAddressThrottle)
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
        result = sign_in(
            identifier=data["identifier"],
            password=data["password"],
            facts=DeviceFacts(**data["device"]),
            device_token=data["device_token"],
            now=clock.now(),
        )
        if isinstance(result, SignedIn):
            return _signed_in(result)
        return Response(SignInReplySerializer({"otp_required": True, "challenge": result}).data)


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
        return _signed_in(verify_code(challenge=data["challenge"], code=data["code"], now=clock.now()))


class ResendView(OpenView):
    throttle_classes = (ResendThrottle, SignInAddressThrottle)
    refusals = {"POST": ("401",)}

    @extend_schema(
        operation_id="auth_otp_request",
        request=ResendSerializer,
        responses=ChallengeSerializer,
        examples=[examples.RESEND_REQUEST, examples.CHALLENGE],
        tags=["auth"],
        summary="Send the code of a challenge again",
    )
    def post(self, request: Request) -> Response:
        data = self.body(ResendSerializer)
        challenge = one_time_passwords.resend_code(challenge=data["challenge"], now=clock.now())
        return Response(ChallengeSerializer(challenge).data)


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
            now=clock.now(),
        )
        return Response(TokensSerializer(tokens).data)
