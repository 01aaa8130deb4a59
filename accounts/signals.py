"""What accounts announces. Sent after commit; a receiver may be missed."""

from __future__ import annotations

from django.dispatch import Signal

# user_id, method ("password" on a trusted device, "otp" on a new one)
signed_in = Signal()
# reason: "credentials", "no_channel", "otp_wrong", "otp_over", "refresh_reused"; never who it was
sign_in_failed = Signal()
# membership_id, standing, at
standing_changed = Signal()
