"""The back office of bookings, and of what cannot change without looking at them."""

from reservations.admin.aftermath import ChargeLineAdmin as ChargeLineAdmin
from reservations.admin.aftermath import StrikeAdmin as StrikeAdmin
from reservations.admin.closures import ClosureAdmin as ClosureAdmin
from reservations.admin.facilities import FacilityAdmin as FacilityAdmin
from reservations.admin.facilities import SpaceAdmin as SpaceAdmin
from reservations.admin.guests import GuestAdmin as GuestAdmin
from reservations.admin.hours import HolidayAdmin as HolidayAdmin
from reservations.admin.hours import OpeningPeriodAdmin as OpeningPeriodAdmin
from reservations.admin.policy import ReservationPolicyAdmin as ReservationPolicyAdmin
from reservations.admin.reservation import ReservationAdmin as ReservationAdmin
from reservations.admin.today import TodayAdmin as TodayAdmin
