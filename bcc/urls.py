"""Every address of the server. Each app brings its own part of the API."""

from __future__ import annotations

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from accounts.views.second_factor import RecoveryCodesView, SecondFactorView
from bcc import health
from bcc.card import member_card
from bcc.core.theme import club_css
from bcc.views import BootstrapView, SchemaView, TimeView

# Swagger UI and Redoc set styles from their scripts; Redoc searches in a worker of its own making.
_swagger_policy = csp_update({"style-src": ["'unsafe-inline'"], "img-src": ["blob:"]})
_redoc_policy = csp_update(
    {"style-src": ["'unsafe-inline'"], "img-src": ["blob:"], "worker-src": [SELF, "blob:"]}
)

api_v1: list[URLPattern | URLResolver] = [
    # Patterns are tried one after the other, and most of what is asked is in here.
    path("", include("reservations.urls")),
    path("schema", SchemaView.as_view(), name="schema"),
    path(
        "docs",
        _swagger_policy(
            SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="docs/swagger_ui.html")
        ),
        name="docs",
    ),
    path(
        "redoc",
        _redoc_policy(SpectacularRedocView.as_view(url_name="schema", template_name="docs/redoc.html")),
        name="redoc",
    ),
    path("bootstrap", BootstrapView.as_view(), name="bootstrap"),
    path("time", TimeView.as_view(), name="time"),
    path("", include("accounts.urls")),
    path("", include("facilities.urls")),
    path("", include("documents.urls")),
    path("", include("chat.urls")),
]

urlpatterns = [
    path("api/v1/", include(api_v1)),
    path("admin/club.css", club_css, name="club-css"),
    path("admin/members/<uuid:public_id>/card/", admin.site.admin_view(member_card), name="member-card"),
    path("admin/second-factor/", SecondFactorView.as_view(), name="second-factor"),
    path("admin/second-factor/recovery-codes/", RecoveryCodesView.as_view(), name="recovery-codes"),
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "bcc.core.rest.problems.bad_request"
handler403 = "bcc.core.rest.problems.permission_denied"
handler404 = "bcc.core.rest.problems.not_found"
handler500 = "bcc.core.rest.problems.server_error"
