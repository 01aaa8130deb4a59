"""What the OpenAPI document shows of papers and accounts. Plainly demo data."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_DOCUMENT: Final[dict[str, Any]] = {
    "id": "2b7e1a54-0c1d-4c7e-8f5a-9d1c2b3a4e5f",
    "kind": "statement",
    "period": "2026-05",
    "number": "",
    "version": 1,
    "name": "SOA_2026-05_D-0014.pdf",
    "media_type": "application/pdf",
    "bytes": 48213,
    "pages": 2,
    "published_at": "2026-06-03T01:30:00Z",
}
_SUMS: Final[dict[str, Any]] = {
    "previous": "1250.00",
    "charges": "4380.50",
    "payments": "1250.00",
    "due": "4380.50",
    "currency": "PHP",
    "due_on": "2026-06-20",
}

DOCUMENT: Final = OpenApiExample("A statement", value=_DOCUMENT, response_only=True)
STATEMENT: Final = OpenApiExample(
    "May", value={"period": "2026-05", "document": _DOCUMENT, "sums": _SUMS}, response_only=True
)
BYTES: Final = OpenApiExample(
    "The file",
    value="%PDF-1.7 …",
    media_type="application/pdf",
    status_codes=["200", "206"],
    response_only=True,
)
LINK_REQUEST: Final = OpenApiExample("For a viewer", value={"seconds": 60}, request_only=True)
LINK: Final = OpenApiExample(
    "Checked by the application",
    value={
        "url": "https://club.example.com/api/v1/documents/2b7e1a54-0c1d-4c7e-8f5a-9d1c2b3a4e5f/content"
        "?link=example-token",
        "expires_at": "2026-06-03T01:31:00Z",
        "checked_by": "application",
    },
    response_only=True,
)
BALANCE: Final = OpenApiExample(
    "After May",
    value={
        "period": "2026-05",
        "published_at": "2026-06-03T01:30:00Z",
        **_SUMS,
        "assessments": [
            {
                "id": "6a0d5c9e-1f6b-4f5a-9d0a-3b2c1d0e9f81",
                "period": "2026-06",
                "code": "COURSE-2026",
                "description": "Assessment for the course",
                "amount": "5000.00",
                "currency": "PHP",
                "due_on": "2026-07-31",
            }
        ],
    },
    response_only=True,
)
ENTRY: Final = OpenApiExample(
    "A chit",
    value={
        "id": "0e9d8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b",
        "period": "2026-05",
        "kind": "charge",
        "number": "CH-10233",
        "posted_on": "2026-05-17",
        "description": "Lunch",
        "outlet": "Terrace",
        "amount": "860.00",
        "currency": "PHP",
    },
    response_only=True,
)
ACCESS: Final = OpenApiExample(
    "Looked at by Finance",
    value={
        "at": "2026-06-04T02:15:00Z",
        "by": "Demo Finance 1",
        "how": "download",
        "subject": "document",
        "document": {key: _DOCUMENT[key] for key in ("id", "kind", "period", "number")},
    },
    response_only=True,
)
