"""One's own account: who one is, with whom one lives, where one is signed in, what one was told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Channel, Device, Notification
from accounts.permissions import IsMember
from accounts.selectors.me import choices_of, devices_of, find_device, get_profile, notifications_of
from accounts.selectors.people import household_seen_by, member_of
from accounts.serializers.me import (
    CurrentDeviceSerializer,
    DeviceSerializer,
    HouseholdSerializer,
    MePatchSerializer,
    MeSerializer,
    NotificationQuerySerializer,
    NotificationSerializer,
)
from accounts.services import devices, notifications
from accounts.services.devices import DeviceFacts
from accounts.services.messages import all_kinds
from accounts.views import examples
from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle
from bcc.core import clock
from bcc.core.errors import NotFoundError
from bcc.core.rest.fields import NothingSerializer


class AccountView(SignedInView):
    throttle_classes = (ReadThrottle,)


class MeView(AccountView):
    @extend_schema(
        operation_id="me_get",
        responses=MeSerializer,
        examples=[examples.ME],
        tags=["me"],
        summary="Who is signed in, and which messages they want where",
    )
    def get(self, request: Request) -> Response:
        return Response(self._shown())

    @extend_schema(
        operation_id="me_change",
        request=MePatchSerializer,
        responses=MeSerializer,
        examples=[examples.ME_PATCH, examples.ME],
        tags=["me"],
        summary="Choose which messages come by which channel",
    )
    def patch(self, request: Request) -> Response:
        chosen = self.body(MePatchSerializer).get("channel_preferences", [])
        notifications.choose_channels(
            user_id=self.identity.user_id,
            choices=[(one["kind"], Channel(one["channel"]), one["is_wanted"]) for one in chosen],
        )
        return Response(self._shown())

    def _shown(self) -> dict[str, Any]:
        profile = get_profile(self.identity)
        return MeSerializer(
            {
                "id": profile.user.public_id,
                "username": profile.user.username,
                "display_name": profile.user.display_name,
                "email": profile.user.email,
                "mobile": str(profile.user.mobile),
                "is_staff": profile.user.is_staff,
                "permissions": sorted(self.identity.permissions),
                "member": profile.member,
                "membership": profile.membership,
                "channel_preferences": _preferences(self.identity.user_id),
            }
        ).data


class HouseholdView(AccountView):
    permission_classes = (IsMember,)
    refusals = {"GET": ("404",)}

    @extend_schema(
        operation_id="me_household",
        responses=HouseholdSerializer,
        examples=[examples.HOUSEHOLD],
        tags=["me"],
        summary="The people of the membership; a dependent sees themselves",
    )
    def get(self, request: Request) -> Response:
        member = member_of(self.identity)
        if member is None:
            raise NotFoundError
        shown = {"membership": member.membership, "members": household_seen_by(member)}
        return Response(HouseholdSerializer(shown).data)


class DeviceListView(AccountView, ListAPIView[Any]):
    queryset = Device.objects.none()  # for the schema; the rows are those of the caller
    serializer_class = DeviceSerializer
    keyset = ("-last_seen_at", "-pk")

    def get_queryset(self) -> Any:
        return devices_of(self.identity)

    @extend_schema(
        operation_id="me_devices",
        examples=[examples.DEVICE],
        tags=["me"],
        summary="The devices one trusts, last used first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request)


class DeviceDetailView(AccountView):
    @extend_schema(
        operation_id="me_device_delete",
        request=None,
        responses={204: None},
        tags=["me"],
        summary="Forget a device: its sessions end, and it needs a code to come back",
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        devices.revoke_device(user_id=self.identity.user_id, public_id=public_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class CurrentDeviceView(AccountView):
    refusals = {"PUT": ("404",)}

    @extend_schema(
        operation_id="me_device_current",
        request=CurrentDeviceSerializer,
        responses=DeviceSerializer,
        examples=[examples.CURRENT_DEVICE, examples.DEVICE],
        tags=["me"],
        summary="What this device is, and where to push to it",
    )
    def put(self, request: Request) -> Response:
        data = self.body(CurrentDeviceSerializer)
        push_token = data.pop("push_token", None)
        device = devices.update_current(
            identity=self.identity, facts=DeviceFacts(**data), push_token=push_token, now=clock.now()
        )
        return Response(DeviceSerializer(find_device(self.identity, device.public_id)).data)


class NotificationListView(AccountView, ListAPIView[Any]):
    queryset = Notification.objects.none()  # for the schema; the rows are those of the caller
    serializer_class = NotificationSerializer
    query_serializer = NotificationQuerySerializer
    keyset = ("-sent_at", "-pk")

    def get_queryset(self) -> Any:
        return notifications_of(self.identity.user_id, unread=self.query.get("unread"))

    @extend_schema(
        operation_id="me_notifications",
        examples=[examples.NOTIFICATION],
        tags=["me"],
        summary="What one was told, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request)


class NotificationReadView(AccountView):
    @extend_schema(
        operation_id="me_notification_read",
        request=NothingSerializer,
        responses=NotificationSerializer,
        examples=[examples.NOTIFICATION],
        tags=["me"],
        summary="Mark one as read; again changes nothing",
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        self.body(NothingSerializer)
        row = notifications.mark_read(user_id=self.identity.user_id, public_id=public_id, now=clock.now())
        return Response(NotificationSerializer(row).data)


def _preferences(user_id: int) -> list[dict[str, Any]]:
    """Every kind on every channel it may go by, as it stands for this user."""
    chosen = choices_of(user_id)
    return [
        {
            "kind": kind.code,
            "label": str(kind.label),
            "channel": channel.value,
            "is_wanted": chosen.get((kind.code, channel), kind.goes_by(channel))
            if kind.may_choose(channel)
            else kind.goes_by(channel),
            "may_change": kind.may_choose(channel),
        }
        for kind in all_kinds()
        for channel in kind.ways
        if notifications.is_offered(channel)
    ]
