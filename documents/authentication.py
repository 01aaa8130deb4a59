"""A signed link in place of the header, on the one route that takes it."""

from __future__ import annotations

from rest_framework.request import Request

from accounts.authentication import BearerAuthentication
from accounts.policies.identity import Identity
from bcc.core import clock
from documents.services.links import MAX_TOKEN, LinkInvalidError, open_link


class BearerOrLinkAuthentication(BearerAuthentication):
    """The header, if there is one; else ``?link=``, which stands for its owner and this document alone."""

    def authenticate(self, request: Request) -> tuple[Identity, str] | None:
        """Raises NotAuthenticatedError (401) for an edited link, and for one that is over."""
        found = super().authenticate(request)
        token = request.query_params.get("link")
        if found is not None or token is None:
            return found
        if len(token) > MAX_TOKEN or not token.isascii():
            raise LinkInvalidError
        public_id = request.parser_context["kwargs"]["public_id"]
        return open_link(token=token, public_id=public_id, now=clock.now()), token
