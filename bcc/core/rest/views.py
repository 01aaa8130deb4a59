"""What views of the API share beyond DRF."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.views import APIView

from bcc.core.rest.fields import StrictQuerySerializer, validated_query

_READS: Final = frozenset({"GET", "HEAD"})


class StrictQueryMixin(APIView):
    """Refuses unknown query parameters, and hands the known ones over validated, as ``self.query``.

    A view declares its parameters once, as ``query_serializer``; the schema shows the same. Paging's
    own parameters and those of ``filterset_class`` are known. It stands before the view class.
    """

    query_serializer: ClassVar[type[StrictQuerySerializer] | None] = None

    def get_query_serializer(self) -> type[StrictQuerySerializer]:
        """The parameters of this request; override where methods or actions differ."""
        wanted = self.query_serializer if self.request.method in _READS else None
        return wanted or StrictQuerySerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # After authentication, permissions and throttles: a stranger learns nothing of the parameters.
        self.query = validated_query(request, self.get_query_serializer(), beside=self._others())

    def _others(self) -> frozenset[str]:
        """Parameters that something else reads and checks."""
        names: set[str] = set()
        pagination: Any = getattr(self, "pagination_class", None)
        if pagination is not None and self.request.method in _READS:
            names |= getattr(pagination, "names", frozenset())
        filters: Any = getattr(self, "filterset_class", None)
        if filters is not None:
            names |= set(filters.base_filters)
        return frozenset(names)
