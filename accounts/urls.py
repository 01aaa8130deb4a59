"""The routes of sign-in and of one's own account, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from accounts.views import auth, me, privacy

urlpatterns = [
    path("auth/login", auth.LoginView.as_view(), name="auth-login"),
    path("auth/otp/request", auth.OtpRequestView.as_view(), name="auth-otp-request"),
    path("auth/activate", auth.ActivateView.as_view(), name="auth-activate"),
    path("auth/step-up", auth.StepUpView.as_view(), name="auth-step-up"),
    path("auth/otp/verify", auth.VerifyView.as_view(), name="auth-otp-verify"),
    path("auth/token/refresh", auth.RefreshView.as_view(), name="auth-token-refresh"),
    path("auth/logout", auth.LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-all", auth.LogoutAllView.as_view(), name="auth-logout-all"),
    path("auth/password/change", auth.PasswordChangeView.as_view(), name="auth-password-change"),
    path("auth/password/reset", auth.PasswordResetView.as_view(), name="auth-password-reset"),
    path("me", me.MeView.as_view(), name="me"),
    path("me/privacy", privacy.PrivacyView.as_view(), name="me-privacy"),
    path("me/deletion-request", privacy.DeletionView.as_view(), name="me-deletion"),
    path("me/record-reads", privacy.RecordReadListView.as_view(), name="me-record-reads"),
    path("me/export", privacy.ExportView.as_view(), name="me-export"),
    path("me/household", me.HouseholdView.as_view(), name="me-household"),
    path("me/devices", me.DeviceListView.as_view(), name="me-devices"),
    path("me/devices/current", me.CurrentDeviceView.as_view(), name="me-device-current"),
    path("me/devices/<uuid:public_id>", me.DeviceDetailView.as_view(), name="me-device"),
    path("me/notifications", me.NotificationListView.as_view(), name="me-notifications"),
    path(
        "me/notifications/<uuid:public_id>/read",
        me.NotificationReadView.as_view(),
        name="me-notification",
    ),
]
