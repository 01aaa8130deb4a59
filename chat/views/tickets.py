"""The API's part of the chat."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views.base import SignedInView
from bcc.core import clock
from bcc.core.rest.fields import NothingSerializer
from bcc.core.rest.throttles import UserThrottle
from chat.serializers.tickets import SocketTicketSerializer
from chat.services.admission import issue_ticket


class SocketTicketThrottle(UserThrottle):
    """An app that reconnects in a loop is slowed down here."""

    scope = "socket_ticket"


class SocketTicketView(SignedInView):
    throttle_classes = (SocketTicketThrottle,)

    @extend_schema(
        operation_id="chat_socket_ticket",
        request=NothingSerializer,
        responses=SocketTicketSerializer,
        tags=["chat"],
        summary="A ticket that opens one socket within 30 seconds",
        description=(
            "For clients that cannot send a first frame before anything else, or would rather not hold the "
            "token there. The socket belongs to the session of the access token and ends with it. What is "
            "said on it is described in `docs/asyncapi.yaml`."
        ),
    )
    def post(self, request: Request) -> Response:
        self.body(NothingSerializer)
        ticket = issue_ticket(identity=self.identity, now=clock.now())
        return Response(SocketTicketSerializer(ticket).data)
