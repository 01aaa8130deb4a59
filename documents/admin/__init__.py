"""The back office of files."""

from documents.admin.images import ImageAdmin

__all__ = ["ImageAdmin"]
