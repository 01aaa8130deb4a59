"""The back office of bookings, and of what cannot change without looking at them."""

from reservations.admin.policy import ReservationPolicyAdmin as ReservationPolicyAdmin
