"""The back office of bookings, and of what cannot change without looking at them."""
