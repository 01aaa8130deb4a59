"""Where the proxy finds the bytes of an asset, if it is the proxy that sends them."""

from __future__ import annotations

from typing import Final

import structlog
from django.conf import settings

from bcc.core.errors import NotFoundError
from documents.models import Asset
from documents.services.assets import local_path

# The `internal` location of deploy/nginx, whose root is the folder of the storage.
INTERNAL: Final = "/_files/"

log = structlog.get_logger(__name__)


def internal_address(asset: Asset) -> str | None:
    """What X-Accel-Redirect says, or None where the bytes go through this process.

    They do without a proxy of ours, and where storage is no disk that it could read. Raises
    NotFoundError when the file is lost: the proxy's own page would be no answer of this API.
    """
    if not settings.FILES_BY_PROXY:
        return None
    path = local_path(asset)
    if path is None:
        return None
    if not path.is_file():
        log.error("asset_missing", key=asset.key)
        raise NotFoundError
    return f"{INTERNAL}{asset.key}"
