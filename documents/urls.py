"""The routes of files, under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from documents.views import images

urlpatterns: list[URLPattern] = [
    path("images", images.ImageUploadView.as_view(), name="images"),
    path("images/<uuid:public_id>", images.ImageView.as_view(), name="image"),
    path(
        "images/<uuid:public_id>/<str:variant>",
        images.ImageVariantView.as_view(),
        name="image-variant",
    ),
    path("me/photo", images.PhotoView.as_view(), name="me-photo"),
]
