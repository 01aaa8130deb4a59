"""Every change of a reservation goes through here."""

from reservations.services.blocking import block_facility
from reservations.services.booking import book, create_reservation, offering_alternatives, quote
from reservations.services.cancel import cancel_by_club, cancel_reservation
from reservations.services.changes import (
    assign_room,
    confirm_reservation,
    decide_approval,
    reschedule_reservation,
    set_participants,
)
from reservations.services.closures import (
    change_hours,
    change_space,
    change_spaces,
    close,
    lift_closure,
    retire_facility,
)
from reservations.services.expiry import expire_due
from reservations.services.reminders import send_reminders
from reservations.services.standing import apply_standings
from reservations.services.venue import (
    check_in,
    complete_finished,
    complete_reservation,
    mark_no_show,
    mark_no_shows,
)

__all__ = [
    "apply_standings",
    "assign_room",
    "block_facility",
    "book",
    "cancel_by_club",
    "cancel_reservation",
    "change_hours",
    "change_space",
    "change_spaces",
    "check_in",
    "close",
    "complete_finished",
    "complete_reservation",
    "confirm_reservation",
    "create_reservation",
    "decide_approval",
    "expire_due",
    "lift_closure",
    "mark_no_show",
    "mark_no_shows",
    "offering_alternatives",
    "quote",
    "reschedule_reservation",
    "retire_facility",
    "send_reminders",
    "set_participants",
]
