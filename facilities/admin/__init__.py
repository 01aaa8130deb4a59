"""The back office of the club's data that no booking depends on, and of the rules between bookings."""
