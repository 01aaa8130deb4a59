"""Where files lie: a folder of the data, or a bucket of an S3-compatible store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

__all__ = ["file_storage"]


def file_storage(env: environ.Env, data_dir: Path) -> dict[str, Any]:
    """``STORAGES["default"]``: the bucket that ``S3_BUCKET`` names, or a folder where it names none.

    The keys are ``S3_ACCESS_KEY`` and ``S3_SECRET_KEY``; without them the machine's own role is asked,
    as the AWS tools do. Needs the extra ``[s3]``.
    """
    bucket = env.str("S3_BUCKET", "")
    if not bucket:
        return {
            "BACKEND": "documents.storage.DurableFileSystemStorage",
            "OPTIONS": {"location": str(data_dir / "files")},
        }
    return {
        "BACKEND": "documents.storage.bucket.BucketStorage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.str("S3_ENDPOINT", "") or None,
            "region_name": env.str("S3_REGION", "") or None,
            "access_key": env.str("S3_ACCESS_KEY", "") or None,
            "secret_key": env.str("S3_SECRET_KEY", "") or None,
            "addressing_style": env.str("S3_ADDRESSING", "auto"),
        },
    }
