"""What the views of reservations share."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import Member
from accounts.permissions import IsMember
from accounts.policies.identity import Identity
from accounts.views.throttles import ReadThrottle
from bcc.core.errors import NotAllowedError, NotFoundError
from bcc.core.rest.fields import StrictSerializer, validated_body
from bcc.core.rest.views import StrictQueryMixin
from reservations.models import Reservation
from reservations.selectors.lists import reservations_seen_by
from reservations.views.throttles import BookingThrottle


class NotYourReservationError(NotAllowedError):
    """A relative's reservation may be seen and cancelled, not changed."""

    code = "not_your_reservation"
    default_detail = _("This belongs to another member of your household. Ask them to change it.")


class MemberView(StrictQueryMixin, APIView):
    """For a signed-in member; ``request.user`` is their Identity."""

    permission_classes = (IsMember,)

    def get_throttles(self) -> list[BaseThrottle]:
        return [ReadThrottle() if self.request.method in SAFE_METHODS else BookingThrottle()]

    @property
    def identity(self) -> Identity:
        return cast(Identity, self.request.user)

    @property
    def member_id(self) -> int:
        return cast(int, self.identity.member_id)  # IsMember let nobody else in

    @property
    def membership_id(self) -> int:
        return cast(int, self.identity.membership_id)

    def get_member(self) -> Member:
        """Raises NotFoundError for a member who is gone, though the token still stands."""
        member = Member.objects.with_household().filter(pk=self.member_id).first()
        if member is None:
            raise NotFoundError
        return member

    def body(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """The validated body."""
        return validated_body(self.request, serializer)

    def get_reservation(self, public_id: UUID) -> Reservation:
        """One that the member may see; what belongs to someone else looks like nothing."""
        row = reservations_seen_by(self.get_member()).filter(public_id=public_id).first()
        if row is None:
            raise NotFoundError
        return row

    def get_own(self, public_id: UUID) -> Reservation:
        """One that the member may change: their own; a relative's may be seen and cancelled only."""
        row = self.get_reservation(public_id)
        if row.member_id != self.member_id:
            raise NotYourReservationError
        return row
