from reservations.models.aftermath import ChargeLine, Strike
from reservations.models.claim import SlotClaim
from reservations.models.guest import Guest
from reservations.models.reservation import Participant, Reservation, ReservationEvent, Type
from reservations.models.today import Today

__all__ = [
    "ChargeLine",
    "Guest",
    "Participant",
    "Reservation",
    "ReservationEvent",
    "SlotClaim",
    "Strike",
    "Today",
    "Type",
]
