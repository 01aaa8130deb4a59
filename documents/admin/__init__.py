"""The back office of documents."""

from documents.admin import account, batches, documents, images, items, periods, rules

__all__ = ["account", "batches", "documents", "images", "items", "periods", "rules"]
