from documents.admin import account, documents

__all__ = ["account", "documents"]
