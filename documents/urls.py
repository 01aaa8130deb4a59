"""The routes of papers, accounts and pictures, under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from documents.views import account, images, reading

urlpatterns: list[URLPattern] = [
    path("account/balance", account.BalanceView.as_view(), name="account-balance"),
    path("account/entries", account.EntryListView.as_view(), name="account-entries"),
    path("documents", reading.DocumentListView.as_view(), name="documents"),
    path("documents/<uuid:public_id>", reading.DocumentView.as_view(), name="document"),
    path(
        "documents/<uuid:public_id>/content", reading.DocumentContentView.as_view(), name="document-content"
    ),
    path("documents/<uuid:public_id>/link", reading.DocumentLinkView.as_view(), name="document-link"),
    path("images", images.ImageUploadView.as_view(), name="images"),
    path("images/<uuid:public_id>", images.ImageView.as_view(), name="image"),
    path(
        "images/<uuid:public_id>/<str:variant>",
        images.ImageVariantView.as_view(),
        name="image-variant",
    ),
    path("me/access-log", account.AccessLogView.as_view(), name="me-access-log"),
    path("me/photo", images.PhotoView.as_view(), name="me-photo"),
    path("statements", reading.StatementListView.as_view(), name="statements"),
    path("statements/<str:period>", reading.StatementView.as_view(), name="statement"),
]
