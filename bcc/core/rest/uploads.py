"""Files in: multipart bodies, bounded before they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.parsers import DataAndFiles, MultiPartParser

from bcc.core.errors import InvalidError
from bcc.core.rest.problems import TooLargeError

# What boundaries, names and texts take beside the file.
_BESIDE = 64 * 1024


class BoundedMultiPartParser(MultiPartParser):
    """DRF's, for one request of at most ``upload_limit`` bytes of file, as the view says.

    The length is what the client declares, and Django reads no more than that. Beyond 2.5 MB the file
    goes to the disk as it comes. A part that stands twice is refused.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = dict(parser_context or {})
        limit: int = context["view"].upload_limit
        declared = context["request"].META.get("CONTENT_LENGTH") or "0"
        if not (declared.isascii() and declared.isdigit()):
            text = _("The Content-Length header is not a number. Send the real length.")
            raise InvalidError(text, code="content_length")
        if int(declared) > limit + _BESIDE:
            raise TooLargeError
        parsed: DataAndFiles[Any, Any] = super().parse(stream, media_type, context)
        names = [*parsed.data.lists(), *parsed.files.lists()]
        seen = [name for name, _values in names]
        repeated = {
            name: [("repeated", _("This part stands more than once. Send it once."))]
            for name, values in names
            if len(values) > 1 or seen.count(name) > 1
        }
        if repeated:
            raise InvalidError(errors=repeated)
        return parsed
