"""What the routes of the club's static data share: who reads, who writes, and how a change is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from auditlog.context import set_actor
from django.db.models import Model
from rest_framework import status
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounts.models import User
from accounts.policies.identity import Identity
from accounts.views.base import SignedInView
from accounts.views.throttles import ReadThrottle
from bcc.core import transactions
from bcc.core.addresses import known_address
from bcc.core.rest.conditional import ConditionalGetMixin, etag_of, require_if_match
from bcc.core.rest.idempotency import respond_once
from bcc.core.rest.renderers import dump_bytes
from facilities.models import Rulebook

_VERBS: Final = {"POST": "add", "PATCH": "change", "DELETE": "delete"}


class MayEdit(BasePermission):
    """Anybody signed in reads; who writes has the model's permission, as in the back office."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        verb = _VERBS.get(request.method or "")
        if verb is None:
            return True
        model: type[Model] = view.model  # type: ignore[attr-defined]  # a ClubView, which has one
        name = f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
        return bool(request.user.is_authenticated and request.user.has_perm(name))


class ClubView(ConditionalGetMixin, SignedInView):
    """Read by anybody signed in, with an ETag; ``model`` is what permissions to write are about."""

    model: ClassVar[type[Model]]
    permission_classes = (IsAuthenticated, MayEdit)
    throttle_classes = (ReadThrottle,)


class ChangingView(ClubView):
    """Staff change one row, or make one, in one transaction that begins by locking the rulebook.

    So the ETag that is compared is of the row that is then changed: who turns the page first reads
    what everybody before committed, and nobody else is between.
    """

    def find(self) -> Any:
        """The row of the URL that the caller may read. Raises NotFoundError."""
        raise NotImplementedError

    def shown(self, row: Any) -> Any:
        """The representation of the GET, which the ETag is of."""
        raise NotImplementedError

    def changed(self, change: Callable[[Any], object]) -> Response:
        """Apply ``change`` to the row, if it is the one that the caller read, and answer with it.

        Raises what ``change`` raises, NotFoundError, PreconditionFailedError, and InvalidError
        without an If-Match.
        """

        def work() -> Any:
            row = self._unchanged()
            change(row)
            return self.shown(self.find())

        with audited(self.identity, self.request):
            data = transactions.run(work)
        return Response(data, headers={"ETag": etag_of(dump_bytes(data))})

    def deleted(self) -> Response:
        """Delete the row, if it is the one that the caller read."""
        with audited(self.identity, self.request):
            transactions.run(lambda: self._unchanged().delete())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _unchanged(self) -> Any:
        Rulebook.turn_page()
        row = self.find()
        require_if_match(self.request, self.shown(row))
        return row


def created(view: ClubView, route: str, make: Callable[[], BaseSerializer[Any]]) -> Any:
    """Run ``make`` once per Idempotency-Key, and answer 201 with what it made and its ETag."""
    with audited(view.identity, view.request):
        response = respond_once(view.request, route, lambda: (status.HTTP_201_CREATED, make().data))
    response["ETag"] = etag_of(response.content)
    return response


@contextmanager
def audited(identity: Identity, request: Request) -> Iterator[None]:
    """Let the audit log name who writes: on the API no middleware does."""
    actor = User.objects.get(pk=identity.user_id)
    with set_actor(actor, remote_addr=known_address(request)):
        yield
