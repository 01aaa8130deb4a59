from django.urls import path

from reservations import views
from reservations.views import hot

urlpatterns = [
    path("reservations", hot.reservations, name="reservations"),
    path(
        "facilities/<uuid:public_id>/availability",
        hot.availability,
        name="facility-availability",
    ),
    path("me/privileges", views.PrivilegesView.as_view(), name="me-privileges"),
    path("reservations/quote", views.QuoteView.as_view(), name="reservations-quote"),
    path("reservations/<uuid:public_id>", views.ReservationDetailView.as_view(), name="reservation"),
    path("reservations/<uuid:public_id>/confirm", views.ConfirmView.as_view(), name="reservation-confirm"),
    path("reservations/<uuid:public_id>/cancel", views.CancelView.as_view(), name="reservation-cancel"),
    path(
        "reservations/<uuid:public_id>/reschedule",
        views.RescheduleView.as_view(),
        name="reservation-reschedule",
    ),
    path("reservations/<uuid:public_id>/check-in", views.CheckInView.as_view(), name="reservation-check-in"),
    path("reservations/<uuid:public_id>/events", views.EventsView.as_view(), name="reservation-events"),
    path(
        "reservations/<uuid:public_id>/calendar.ics",
        views.CalendarView.as_view(),
        name="reservation-calendar",
    ),
    path(
        "reservations/<uuid:public_id>/participants",
        views.ParticipantsView.as_view(),
        name="reservation-participants",
    ),
    path("guests", views.GuestListView.as_view(), name="guests"),
]
