"""The two forms of a signed link, without the keys: what is signed, and how nginx reads it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from documents.policies.naming import ENDINGS

# Nobody can call one back that the proxy checks alone: it is over before anybody would.
LONGEST_BY_PROXY: Final = timedelta(seconds=60)
LONGEST: Final = timedelta(hours=1)
# The location of deploy/nginx.
PROXY_PREFIX: Final = "/files/"


def proxy_link(*, key: str, media_type: str, name: str, expires: int, secret: str) -> str | None:
    """The address at which nginx gives the file of storage ``key`` until ``expires`` (seconds of the epoch).

    MD5 is what nginx's secure_link has; the secret stands at the end of what is hashed, so nothing can
    be appended, and a second text with the same digest is not to be found. None for a type that the
    proxy has no ending for.
    """
    ending = ENDINGS.get(media_type)
    if ending is None:
        return None
    path = f"{PROXY_PREFIX}{key}{ending}"
    # Only what no client rewrites stays as it is: the proxy hashes the query as it came.
    written = quote(name, safe="")
    signature = proxy_signature(path=path, name=written, expires=expires, secret=secret)
    return f"{path}?expires={expires}&name={written}&signature={signature}"


def proxy_signature(*, path: str, name: str, expires: int, secret: str) -> str:
    """As ``secure_link_md5 "$secure_link_expires $uri $arg_name <secret>"`` reckons it."""
    text = f"{expires} {path} {name} {secret}"
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
