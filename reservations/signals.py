"""What reservations announces to other apps, after commit. A receiver may be missed; rows are the truth."""

from django.dispatch import Signal

# facility_id, rules: list[str], member_id, at
booking_refused = Signal()
# reservation_id, state, at
reservation_changed = Signal()
