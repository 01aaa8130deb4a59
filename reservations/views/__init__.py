from reservations.views.availability import AvailabilityView, PrivilegesView
from reservations.views.guests import GuestListView
from reservations.views.reservations import (
    CalendarView,
    CancelView,
    CheckInView,
    ConfirmView,
    EventsView,
    ParticipantsView,
    QuoteView,
    RescheduleView,
    ReservationDetailView,
    ReservationListView,
)

__all__ = [
    "AvailabilityView",
    "CalendarView",
    "CancelView",
    "CheckInView",
    "ConfirmView",
    "EventsView",
    "GuestListView",
    "ParticipantsView",
    "PrivilegesView",
    "QuoteView",
    "RescheduleView",
    "ReservationDetailView",
    "ReservationListView",
]
